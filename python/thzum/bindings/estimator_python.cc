/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/***********************************************************************************/
/* This file is written by hand; the build compares the hash of the header it binds */
/* BINDTOOL_GEN_AUTOMATIC(0)                                                       */
/* BINDTOOL_USE_PYGCCXML(0)                                                        */
/* BINDTOOL_HEADER_FILE(estimator.h)                                               */
/* BINDTOOL_HEADER_FILE_HASH(77d3c3d3870257ac9a8348d39a2b3cf0) */
/***********************************************************************************/

#include "estimates.h"
#include "options.h"
#include <gnuradio/thzum/estimator.h>
#include <algorithm>

namespace gr {
namespace thzum {

namespace {

/*!
 * Covariance blocks [S, n, n] of sample channels, given as an array [K, N] or [K, S, rows, cols] or
 * as the path of an .npz that holds one under "channel". Phases between subarrays are random, so
 * correlations across them are left out.
 */
py::object sample_covariance(const py::object& samples, const array_shape& shape)
{
    const auto numpy = py::module::import("numpy");
    py::object channels = samples;
    if (py::isinstance<py::str>(samples) || py::hasattr(samples, "__fspath__")) {
        const py::object file = numpy.attr("load")(samples);
        if (!py::hasattr(file, "files") || !file.attr("__contains__")("channel").cast<bool>())
            refuse(
                "samples", "an .npz file with an array 'channel'", std::string(py::str(samples)));
        channels = file["channel"];
    }
    const auto given = any_array(channels, "samples");
    const py::ssize_t count = given.ndim() > 0 ? given.shape(0) : 0;
    if (given.ndim() < 2 || count == 0 || given.size() != count * shape.antennas())
        refuse("samples",
               "channels [K, " + std::to_string(shape.antennas()) + "] or [K, S, rows, cols]",
               describe(given));
    const auto values = converted<gr_complex>(given, "samples");
    // As matrix products [S, n, K] x [S, K, n], of which NumPy has fast ones.
    const auto blocks = py::object(values)
                            .attr("reshape")(count, shape.n_subarrays, shape.elements())
                            .attr("transpose")(1, 2, 0);
    return numpy.attr("matmul")(blocks, blocks.attr("conj")().attr("transpose")(0, 2, 1));
}

estimator::sptr
make(const std::string& name, const pilot_operator::sptr& op, const py::kwargs& kwargs)
{
    py::kwargs given = py::dict(kwargs).attr("copy")();
    if (name == "lmmse" && given.contains("samples")) {
        if (given.contains("covariance"))
            refuse("samples", "either covariance or samples", "both");
        given["covariance"] = sample_covariance(given["samples"], op->shape());
        given.attr("pop")("samples");
    }
    take_array(estimators(), name, given);
    const option_map options = bindings::to_options(given);
    py::gil_scoped_release release;
    return make_estimator(name, op, options);
}

py::tuple estimate(estimator& self, const py::object& y, const py::object& noise_var)
{
    return run_estimator(
        self, y, noise_var, { self.op()->n_observations() }, { self.op()->shape().antennas() });
}

/*! Paths of one item as a dictionary of arrays [L]. */
py::dict paths(const estimator& self, int item)
{
    std::vector<path_estimate> found(256);
    found.resize(self.paths(item, found.data(), static_cast<int>(found.size())));
    const auto column = [&](auto value, const auto& member) {
        py::array_t<decltype(value)> values(static_cast<py::ssize_t>(found.size()));
        std::transform(found.begin(), found.end(), values.mutable_data(), member);
        return values;
    };
    py::dict out;
    out["ux"] = column(0.0f, [](const path_estimate& p) { return p.ux; });
    out["uy"] = column(0.0f, [](const path_estimate& p) { return p.uy; });
    out["distance"] = column(0.0f, [](const path_estimate& p) { return p.distance; });
    out["gain"] = column(gr_complex(), [](const path_estimate& p) { return p.gain; });
    out["power"] = column(0.0f, [](const path_estimate& p) { return p.power; });
    out["coherent"] = column(false, [](const path_estimate& p) { return p.coherent; });
    return out;
}

py::dict options(const estimator& self) { return bindings::from_options(self.options()); }

py::dict predict(const std::string& name,
                 const pilot_operator::sptr& op,
                 const py::object& channels,
                 double noise_var,
                 int iterations,
                 uint64_t seed,
                 const py::kwargs& kwargs)
{
    const auto samples = array_in<gr_complex>(channels, "channels", { op->shape().antennas() });
    const option_map options = bindings::to_options(kwargs);
    std::vector<state_evolution_step> steps;
    {
        py::gil_scoped_release release;
        steps = state_evolution(
            name, op, options, samples.data(), samples.batch, noise_var, iterations, seed);
    }
    py::array_t<double> tau2(iterations), error_variance(iterations), nmse_db(iterations);
    for (int t = 0; t < iterations; ++t) {
        tau2.mutable_at(t) = steps[t].tau2;
        error_variance.mutable_at(t) = steps[t].error_variance;
        nmse_db.mutable_at(t) = steps[t].nmse_db;
    }
    py::dict out;
    out["tau2"] = tau2;
    out["error_variance"] = error_variance;
    out["nmse_db"] = nmse_db;
    return out;
}

void bind_class(py::module& m)
{
    py::class_<estimator, estimator::sptr>(
        m,
        "estimator",
        "Channel estimator: pilots y and a noise variance to h_hat.\n\n"
        "    est = thzum.estimator(\"oamp\", op, denoiser=\"bernoulli_gaussian\")\n"
        "    h_hat, report = est.estimate(y, noise_var)\n\n"
        "`name` is one of estimators(), `op` a pilot_operator; the options of each are listed by\n"
        "estimator_options(name). \"lmmse\" takes its covariance as an array `covariance` (any "
        "scale;\n"
        "N x N, n x n shared by the subarrays, or S x n x n) or from sample channels `samples`, an "
        "array\n"
        "[K, N] or [K, S, rows, cols] or the path of an .npz with one under \"channel\". A "
        "SubarrayArray\n"
        "`array` gives the options on its geometry to those that take them. Raises "
        "ValueError\n"
        "for names, options or sizes that do not fit. Serves one thread at a time.")
        .def(py::init(&make), py::arg("name"), py::arg("op"))
        .def("estimate",
             &estimate,
             py::arg("y"),
             py::arg("noise_var") = py::none(),
             "Estimate channels.\n\n"
             "y: complex [M] or [B, M]. noise_var: antenna noise variance before combining, a "
             "number or\n"
             "[B], above 0; None estimates it from the pilots.\n"
             "Returns h_hat, complex64 [N] or [B, N], and a dictionary of arrays [] or [B]: "
             "iterations;\n"
             "residual, the relative change of the last iteration; noise_var in use; "
             "predicted_nmse_db,\n"
             "NaN if unknown; unexplained_nmse, the part of it (linear) that speaks from what is "
             "left\n"
             "of the pilots; divergence, how many complex unknowns of noise the estimate follows, "
             "NaN\n"
             "if unknown; contraction, the ratio of the last two residuals; steps, denoiser calls "
             "or\n"
             "moves of one path; steps_saved, by tracking; and residual_history\n"
             "[iterations] or [B, most iterations], NaN past the last of an item. The result does "
             "not\n"
             "depend on a gain in front of the receiver; an all-zero y gives zeros.")
        .def(
            "paths",
            &paths,
            py::arg("item") = 0,
            "Paths that were resolved for an item of the last estimate() call of at most max_batch "
            "items,\n"
            "strongest first: {ux, uy, distance, gain, power, coherent}, arrays [L]. Direction "
            "cosines at\n"
            "the middle of the array; distance in wavelengths, inf for a plane wave, NaN if not "
            "known;\n"
            "gain per antenna. Empty for estimators that do not resolve paths.")
        .def_property_readonly("name", &estimator::name, "Name in the registry.")
        .def_property_readonly("op", &estimator::op, "The pilot_operator it was built for.")
        .def_property_readonly("options", &options, "Options in force, {name: value}.")
        .def("__repr__", &estimator::repr);
}

} // namespace

} // namespace thzum
} // namespace gr

void bind_estimator(pybind11::module& m)
{
    using namespace gr::thzum;

    bind_class(m);
    bindings::bind_registry(m, "estimator", &estimators);
    m.def("state_evolution",
          &predict,
          py::arg("name"),
          py::arg("op"),
          py::arg("channels"),
          py::arg("noise_var"),
          py::arg("iterations") = 10,
          py::arg("seed") = 0,
          "NMSE that \"oamp\" or \"fpn_oamp\" is predicted to reach (Ma and Ping, IEEE Access "
          "2017).\n\n"
          "channels: samples, complex [N] or [B, N] at unit power per antenna; noise_var at that "
          "scale;\n"
          "further keywords are the estimator's options. Returns {tau2, error_variance, nmse_db}, "
          "one\n"
          "value per iteration: error variance per coefficient before and after the denoiser, and "
          "the\n"
          "NMSE of the estimate.");
}
