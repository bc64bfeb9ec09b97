/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/***********************************************************************************/
/* This file is written by hand; the build compares the hash of the header it binds */
/* BINDTOOL_GEN_AUTOMATIC(0)                                                       */
/* BINDTOOL_USE_PYGCCXML(0)                                                        */
/* BINDTOOL_HEADER_FILE(observation_model.h)                                                      */
/* BINDTOOL_HEADER_FILE_HASH(f1ed74fc1901f8f5a28c5a73fbfa6328) */
/***********************************************************************************/

#include "arrays.h"
#include "dictionary_type.h"
#include <gnuradio/thzum/observation_model.h>

namespace gr {
namespace thzum {

namespace {

int n_singular(const observation_model& self)
{
    return self.op()->shape().n_subarrays * self.rank();
}

py::tuple observe(observation_model& self, const py::object& observations)
{
    const auto y = array_in<gr_complex>(observations, "y", { self.op()->n_observations() });
    auto z = array_out<gr_complex>(y, { n_singular(self) });
    auto excess = array_out<float>(y, {});
    gr_complex* z_out = z.mutable_data();
    float* excess_out = excess.mutable_data();
    {
        py::gil_scoped_release release;
        self.observe(y.data(), z_out, excess_out, y.batch);
    }
    return py::make_tuple(z, y.batched ? py::object(excess) : py::float_(*excess_out));
}

py::array_t<gr_complex> to_singular(observation_model& self, const py::object& coefficients)
{
    const auto c = array_in<gr_complex>(coefficients, "c", { self.coefficients() });
    auto z = array_out<gr_complex>(c, { n_singular(self) });
    gr_complex* out = z.mutable_data();
    py::gil_scoped_release release;
    self.to_singular(c.data(), out, c.batch);
    return z;
}

py::array_t<gr_complex> from_singular(observation_model& self, const py::object& singular)
{
    const auto z = array_in<gr_complex>(singular, "z", { n_singular(self) });
    auto c = array_out<gr_complex>(z, { self.coefficients() });
    gr_complex* out = c.mutable_data();
    py::gil_scoped_release release;
    self.from_singular(z.data(), out, z.batch);
    return c;
}

} // namespace

} // namespace thzum
} // namespace gr

void bind_observation_model(pybind11::module& m)
{
    using namespace gr::thzum;

    py::class_<observation_model, observation_model::sptr>(
        m,
        "observation_model",
        "Pilot operator times dictionary, diagonalised per subarray:\n"
        "diag(gains) B D = U diag(sigma) V^H. Serves one thread at a time.")
        .def(py::init(&observation_model::make), py::arg("op"), py::arg("dict"))
        .def_property_readonly("op", &observation_model::op)
        .def_property_readonly("dict", &observation_model::dict)
        .def_property_readonly(
            "coefficients", &observation_model::coefficients, "Coefficients of all subarrays, S*k.")
        .def_property_readonly("rank", &observation_model::rank, "Singular values per subarray.")
        .def_property_readonly(
            "singular_values",
            [](const observation_model& self) {
                return py::array_t<float>({ self.op()->shape().n_subarrays, self.rank() },
                                          self.singular_values().data());
            },
            "float32 [S, rank] (a copy).")
        .def_property_readonly("excess_dimensions",
                               &observation_model::excess_dimensions,
                               "Observations that carry noise only.")
        .def("observe",
             &observe,
             py::arg("y"),
             "(z, excess): z = diag(sigma) V^H c + white noise, and the energy of the noise-only\n"
             "observations. complex [M] -> complex64 [S*rank] and float, or [B, ...] of either.")
        .def("to_singular",
             &to_singular,
             py::arg("c"),
             "V^H c: complex [S*k] -> complex64 [S*rank], or [B, ...] of either.")
        .def("from_singular",
             &from_singular,
             py::arg("z"),
             "V z: complex [S*rank] -> complex64 [S*k], or [B, ...] of either.")
        .def("__repr__", [](const observation_model& self) {
            return "observation_model(" + self.op()->repr() + ", dictionary='" +
                   self.dict()->name() + "', rank=" + std::to_string(self.rank()) +
                   ", excess_dimensions=" + std::to_string(self.excess_dimensions()) + ")";
        });
}
