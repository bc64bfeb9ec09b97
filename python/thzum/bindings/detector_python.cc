/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/***********************************************************************************/
/* BINDTOOL_GEN_AUTOMATIC(0)                                                       */
/* BINDTOOL_USE_PYGCCXML(0)                                                        */
/* BINDTOOL_HEADER_FILE(detector.h)                                                */
/* BINDTOOL_HEADER_FILE_HASH(32e4cec662f6ce277bafe97c36598ede)                     */
/***********************************************************************************/

#include "arrays.h"
#include "options.h"
#include <gnuradio/thzum/detector.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <cmath>
#include <tuple>

namespace py = pybind11;

namespace {

using namespace gr::thzum;

/*! Checked arguments of one call: count vectors, over one channel or over one each. */
struct request {
    input_array<gr_complex> H;
    input_array<gr_complex> y;
    std::vector<float> noise_var; // one, or one per vector

    bool has_new_channel(int i) const
    {
        return i == 0 || H.batched || (noise_var.size() > 1 && noise_var[i] != noise_var[i - 1]);
    }
};

request
checked(const detector& self, const py::object& H, const py::object& y, const py::object& noise_var)
{
    request call;
    call.H = array_in<gr_complex>(H, "H", { self.n_rx(), self.n_tx() });
    call.y = array_in<gr_complex>(y, "y", { self.n_rx() });
    if (call.H.batched && (!call.y.batched || call.y.batch != call.H.batch))
        refuse("y",
               "one vector per channel, complex64 of shape " +
                   describe({ call.H.batch, self.n_rx() }),
               describe(call.y.values));
    // A plain number, the usual case, needs no array.
    const float plain =
        PyFloat_Check(noise_var.ptr()) ? static_cast<float>(PyFloat_AS_DOUBLE(noise_var.ptr())) : 0;
    if (plain > 0.0f && std::isfinite(plain)) {
        call.noise_var = { plain };
        return call;
    }
    const auto variances = any_array(noise_var, "noise_var");
    if (variances.ndim() == 0)
        call.noise_var = { *single_array_in<float>(noise_var, "noise_var", {}).data() };
    else if (const auto values = single_array_in<float>(noise_var, "noise_var", { call.y.batch });
             call.y.batched)
        call.noise_var.assign(values.data(), values.data() + call.y.batch);
    else
        refuse("noise_var", "a number for a single y", describe(variances));
    for (const float value : call.noise_var)
        if (!(value > 0.0f))
            refuse("noise_var", "values > 0 (as float32)", std::to_string(value));
    return call;
}

/*! Runs the detector over a request; vectors that share a channel go through in one call. */
void run(detector& self,
         const request& call,
         int32_t* symbols,
         float* llr,
         gr_complex* x_hat,
         float* variance)
{
    const auto at = [](auto* base, size_t offset) { return base ? base + offset : nullptr; };
    const size_t n_tx = self.n_tx();
    py::gil_scoped_release release;
    for (int begin = 0, end; begin < call.y.batch; begin = end) {
        end = begin + 1;
        while (end < call.y.batch && !call.has_new_channel(end))
            end++;
        self.set_channel(call.H.data() + (call.H.batched ? begin * self.n_rx() * n_tx : 0),
                         call.noise_var[call.noise_var.size() > 1 ? begin : 0]);
        self.detect(call.y.data() + static_cast<size_t>(begin) * self.n_rx(),
                    end - begin,
                    at(symbols, begin * n_tx),
                    at(llr, begin * n_tx * self.bits_per_symbol()),
                    at(x_hat, begin * n_tx),
                    at(variance, begin * n_tx));
    }
}

py::tuple
detect(detector& self, const py::object& H, const py::object& y, const py::object& noise_var)
{
    const auto call = checked(self, H, y, noise_var);
    auto symbols = array_out<int32_t>(call.y, { self.n_tx() });
    auto llr = array_out<float>(call.y, { self.n_tx(), self.bits_per_symbol() });
    run(self, call, symbols.mutable_data(), llr.mutable_data(), nullptr, nullptr);
    return py::make_tuple(symbols, llr);
}

py::tuple
equalize(detector& self, const py::object& H, const py::object& y, const py::object& noise_var)
{
    const auto call = checked(self, H, y, noise_var);
    std::vector<int32_t> symbols(static_cast<size_t>(call.y.batch) * self.n_tx());
    auto x_hat = array_out<gr_complex>(call.y, { self.n_tx() });
    auto variance = array_out<float>(call.y, { self.n_tx() });
    run(self, call, symbols.data(), nullptr, x_hat.mutable_data(), variance.mutable_data());
    return py::make_tuple(x_hat, variance);
}

py::array_t<gr_complex> points(const std::string& name)
{
    const auto& values = constellation_points(name);
    return py::array_t<gr_complex>(values.size(), values.data());
}

detector::sptr make(const std::string& name,
                    int n_rx,
                    int n_tx,
                    const std::string& constellation,
                    const py::kwargs& options)
{
    return make_detector(name, n_rx, n_tx, constellation, bindings::to_options(options));
}

} // namespace

void bind_detector(py::module& m)
{
    bindings::bind_registry(m, "detector", &detectors);
    m.def("constellations", &constellation_names, "Names of the constellations.");
    m.def("constellation_points",
          &points,
          py::arg("name"),
          "Points of a Gray-mapped constellation of 3GPP TS 38.211 with unit energy, complex64;\n"
          "the index\n"
          "holds the bits, the first one most significant.");

    py::class_<detector, detector::sptr>(
        m,
        "detector",
        "MIMO detector of y = H x + n by name; n white with variance noise_var, E|x|^2 = 1.\n\n"
        "Args:\n"
        "    name: one of detectors().\n"
        "    n_rx, n_tx: receive samples per vector and users.\n"
        "    constellation: one of constellations().\n"
        "    **options: of the algorithm, see detector_options(name).\n\n"
        "A column of H that is exactly zero is an absent user: symbol -1, LLR 0, x_hat 0, "
        "variance\n"
        "1.\n"
        "One thread at a time.")
        .def(py::init(&make),
             py::arg("name"),
             py::arg("n_rx"),
             py::arg("n_tx"),
             py::arg("constellation"))
        .def("detect",
             &detect,
             py::arg("H"),
             py::arg("y"),
             py::arg("noise_var"),
             "Symbols and soft bits.\n\n"
             "Args:\n"
             "    H: channel, complex [n_rx, n_tx] for all vectors or [B, n_rx, n_tx] with one\n"
             "each.\n"
             "    y: received, complex [n_rx] or [B, n_rx].\n"
             "    noise_var: variance of one complex receive sample, > 0: a number or [B].\n\n"
             "Returns:\n"
             "    symbols int32 [B, n_tx], index into points, and llr float32 [B, n_tx, bits],\n"
             "    log P(bit=0) / P(bit=1); without B for a single y.\n\n"
             "Raises ValueError for a wrong shape or dtype, NaN, Inf, or noise_var <= 0.")
        .def("equalize",
             &equalize,
             py::arg("H"),
             py::arg("y"),
             py::arg("noise_var"),
             "Unbiased symbol estimates x_hat (complex64 [B, n_tx]) and their error variances\n"
             "(float32\n"
             "[B, n_tx]); arguments as for detect().")
        .def_property_readonly("name", &detector::name)
        .def_property_readonly("n_rx", &detector::n_rx, "Receive samples per vector.")
        .def_property_readonly("n_tx", &detector::n_tx, "Users.")
        .def_property_readonly("constellation", &detector::constellation)
        .def_property_readonly("bits_per_symbol", &detector::bits_per_symbol)
        .def_property_readonly(
            "points",
            [](const detector& self) { return points(self.constellation()); },
            "Constellation points, complex64, by symbol index.")
        .def("__repr__", &detector::repr);
}
