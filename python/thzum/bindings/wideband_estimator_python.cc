/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/***********************************************************************************/
/* This file is written by hand; the build compares the hash of the header it binds */
/* BINDTOOL_GEN_AUTOMATIC(0)                                                       */
/* BINDTOOL_USE_PYGCCXML(0)                                                        */
/* BINDTOOL_HEADER_FILE(wideband_estimator.h)                                      */
/* BINDTOOL_HEADER_FILE_HASH(48d8fd7408e19e69acf03e80eff75424) */
/***********************************************************************************/

#include "estimates.h"
#include "options.h"
#include <gnuradio/thzum/wideband_estimator.h>

namespace gr {
namespace thzum {

namespace {

std::vector<double> frequencies_in(const py::object& value)
{
    const auto given = any_array(value, "frequencies");
    const char kind = given.dtype().kind();
    if (given.ndim() != 1 || (kind != 'f' && kind != 'i' && kind != 'u'))
        refuse("frequencies", "an array [F] of Hz", describe(given));
    const auto values =
        py::array_t<double, py::array::c_style | py::array::forcecast>::ensure(given);
    return { values.data(), values.data() + values.size() };
}

wideband_estimator::sptr make(const std::string& name,
                              const pilot_operator::sptr& op,
                              const py::object& frequencies,
                              double carrier_frequency,
                              const py::kwargs& kwargs)
{
    py::dict given = py::dict(kwargs).attr("copy")();
    if (given.contains("array")) {
        add_array_options(wideband_estimators(), name, given["array"], given);
        given.attr("pop")("array");
    }
    const auto band = frequencies_in(frequencies);
    const option_map options = bindings::to_options(given);
    py::gil_scoped_release release;
    return make_wideband_estimator(name, op, band, carrier_frequency, options);
}

py::tuple estimate(wideband_estimator& self, const py::object& y, const py::object& noise_var)
{
    const auto pilots =
        array_in<gr_complex>(y, "y", { self.subcarriers(), self.op()->n_observations() });
    const auto variances = noise_variances(noise_var, pilots.batch);
    auto h_hat =
        array_out<gr_complex>(pilots, { self.subcarriers(), self.op()->shape().antennas() });
    gr_complex* out = h_hat.mutable_data();
    std::vector<estimate_report> reports(pilots.batch);
    {
        py::gil_scoped_release release;
        self.estimate(pilots.data(),
                      noise_var.is_none() ? nullptr : variances.data(),
                      pilots.batch,
                      out,
                      reports.data());
    }
    return py::make_tuple(h_hat, to_dict(reports, pilots.batched));
}

} // namespace

} // namespace thzum
} // namespace gr

void bind_wideband_estimator(pybind11::module& m)
{
    using namespace gr::thzum;

    py::class_<wideband_estimator, wideband_estimator::sptr>(
        m,
        "wideband_estimator",
        "Joint channel estimator over subcarriers under beam squint.\n\n"
        "    est = thzum.wideband_estimator(\"newtonized_omp\", op, frequencies, array.carrier_frequency,\n"
        "                                   array=array)\n"
        "    h_hat, report = est.estimate(y, noise_var)\n\n"
        "`name` is one of wideband_estimators(), `op` the pilot_operator of every subcarrier,\n"
        "`frequencies` [F] in Hz, equidistant. The options of each are listed by\n"
        "wideband_estimator_options(name); a SubarrayArray `array` gives those on its geometry. Raises\n"
        "ValueError for names, options, frequencies or sizes that do not fit. Serves one thread at a\n"
        "time.")
        .def(py::init(&make),
             py::arg("name"),
             py::arg("op"),
             py::arg("frequencies"),
             py::arg("carrier_frequency"))
        .def("estimate",
             &estimate,
             py::arg("y"),
             py::arg("noise_var") = py::none(),
             "Estimate channels over the band.\n\n"
             "y: complex [F, M] or [B, F, M]; a subcarrier of zeros counts as not measured. noise_var:\n"
             "antenna noise variance of every subcarrier, a number or [B], above 0; None estimates it\n"
             "from the pilots. Returns h_hat, complex64 [F, N] or [B, F, N], and a dictionary of arrays\n"
             "[] or [B] as estimator.estimate() does; iterations are paths for newtonized_omp, the most\n"
             "of any delay tap for fpn_oamp.")
        .def_property_readonly("name", &wideband_estimator::name, "Name in the registry.")
        .def_property_readonly(
            "op", &wideband_estimator::op, "The pilot_operator it was built for.")
        .def_property_readonly("subcarriers", &wideband_estimator::subcarriers, "Subcarriers F.")
        .def_property_readonly(
            "options",
            [](const wideband_estimator& self) {
                py::dict out;
                for (const auto& [name, value] : self.options())
                    out[py::str(name)] = bindings::from_option(value);
                return out;
            },
            "Options in force, {name: value}.")
        .def("__repr__", &wideband_estimator::repr);
    bindings::bind_registry(m, "wideband_estimator", &wideband_estimators);
}
