/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/***********************************************************************************/
/* This file is written by hand; the build compares the hash of the header it binds */
/* BINDTOOL_GEN_AUTOMATIC(0)                                                       */
/* BINDTOOL_USE_PYGCCXML(0)                                                        */
/* BINDTOOL_HEADER_FILE(pilot_operator.h)                                                      */
/* BINDTOOL_HEADER_FILE_HASH(f439f256daded28b8036012f700cd26a) */
/***********************************************************************************/

#include "arrays.h"
#include <gnuradio/thzum/pilot_operator.h>
#include <algorithm>

namespace gr {
namespace thzum {

namespace {

noise_model noise_model_of(const std::string& name)
{
    if (name == "per_slot")
        return noise_model::per_slot;
    if (name == "common")
        return noise_model::common;
    refuse("noise_model", "'per_slot' or 'common'", "'" + name + "'");
}

pilot_operator::sptr
make(const py::object& combiner, int rows, int cols, const std::string& noise_model)
{
    const thzum::noise_model model = noise_model_of(noise_model);
    if (rows <= 0 || cols <= 0)
        refuse(
            "rows, cols", "positive integers", std::to_string(rows) + ", " + std::to_string(cols));
    const auto c = single_array_in<gr_complex>(
        combiner, "combiner", { any_size, any_size, py::ssize_t(rows) * cols });
    const array_shape shape{ static_cast<int>(c.shape(0)), rows, cols };
    const int n_slots = static_cast<int>(c.shape(1));
    const std::vector<gr_complex> values(c.data(), c.data() + c.size());
    py::gil_scoped_release release;
    return pilot_operator::make(values, n_slots, shape, model);
}

pilot_operator::sptr hadamard(int n_subarrays, int rows, int cols, int n_slots, uint64_t seed)
{
    return pilot_operator::hadamard({ n_subarrays, rows, cols }, n_slots, seed);
}

using member = void (pilot_operator::*)(const gr_complex*, gr_complex*, int);

/*! Calls \p function on vectors of \p inputs values, which give \p outputs values. */
py::array_t<gr_complex> call(pilot_operator& self,
                             member function,
                             const py::object& value,
                             const char* name,
                             int inputs,
                             int outputs)
{
    const auto x = array_in<gr_complex>(value, name, { inputs });
    auto y = array_out<gr_complex>(x, { outputs });
    gr_complex* out = y.mutable_data();
    py::gil_scoped_release release;
    (self.*function)(x.data(), out, x.batch);
    return y;
}

pilot_operator::sptr with_mask(const pilot_operator& self, const py::object& mask)
{
    const auto given =
        single_array_in<float>(mask, "mask", { self.shape().n_subarrays, self.n_slots() });
    std::vector<uint8_t> heard(given.size());
    std::transform(given.data(), given.data() + given.size(), heard.begin(), [](float value) {
        return value != 0.0f;
    });
    py::gil_scoped_release release;
    return self.with_mask(heard);
}

int n_projections(const pilot_operator& self) { return self.shape().n_subarrays * self.rank(); }

void bind_transforms(py::class_<pilot_operator, pilot_operator::sptr>& operators)
{
    operators
        .def(
            "measure",
            [](pilot_operator& self, const py::object& h) {
                return call(self,
                            &pilot_operator::forward,
                            h,
                            "h",
                            self.shape().antennas(),
                            self.n_observations());
            },
            py::arg("h"),
            "Noiseless pilots y = A h: complex [N] -> complex64 [M], or [B, ...] of either.")
        .def(
            "adjoint",
            [](pilot_operator& self, const py::object& y) {
                return call(self,
                            &pilot_operator::adjoint,
                            y,
                            "y",
                            self.n_observations(),
                            self.shape().antennas());
            },
            py::arg("y"),
            "A^H y: complex [M] -> complex64 [N], or [B, ...] of either.")
        .def(
            "whiten",
            [](pilot_operator& self, const py::object& y) {
                return call(self,
                            &pilot_operator::whiten,
                            y,
                            "y",
                            self.n_observations(),
                            n_projections(self));
            },
            py::arg("y"),
            "Observations z = diag(gains) B h + n, n white of variance noise_var: complex [M] ->\n"
            "complex64 [S*rank], or [B, ...] of either.")
        .def(
            "project",
            [](pilot_operator& self, const py::object& h) {
                return call(self,
                            &pilot_operator::project,
                            h,
                            "h",
                            self.shape().antennas(),
                            n_projections(self));
            },
            py::arg("h"),
            "B h, B B^H = I: complex [N] -> complex64 [S*rank], or [B, ...] of either.")
        .def(
            "backproject",
            [](pilot_operator& self, const py::object& b) {
                return call(self,
                            &pilot_operator::backproject,
                            b,
                            "b",
                            n_projections(self),
                            self.shape().antennas());
            },
            py::arg("b"),
            "B^H b: complex [S*rank] -> complex64 [N], or [B, ...] of either.");
}

void bind_properties(py::class_<pilot_operator, pilot_operator::sptr>& operators)
{
    operators.def_property_readonly("shape", &pilot_operator::shape, "array_shape.")
        .def_property_readonly("n_slots", &pilot_operator::n_slots, "Pilot slots Q.")
        .def_property_readonly(
            "n_observations", &pilot_operator::n_observations, "Observations M = S*Q.")
        .def_property_readonly(
            "n_antennas",
            [](const pilot_operator& self) { return self.shape().antennas(); },
            "Antennas N.")
        .def_property_readonly(
            "noise_model",
            [](const pilot_operator& self) {
                return self.model() == noise_model::common ? "common" : "per_slot";
            },
            "\"per_slot\" or \"common\".")
        .def_property_readonly(
            "combiner",
            [](const pilot_operator& self) {
                return py::array_t<gr_complex>(
                    { self.shape().n_subarrays, self.n_slots(), self.shape().elements() },
                    self.combiner().data());
            },
            "Combiner rows, complex64 [S, Q, rows*cols] (a copy).")
        .def_property_readonly(
            "gains",
            [](const pilot_operator& self) {
                return py::array_t<float>({ self.shape().n_subarrays, self.rank() },
                                          self.gains().data());
            },
            "Gains of the orthonormalised pair, float32 [S, rank] (a copy).")
        .def_property_readonly(
            "rank", &pilot_operator::rank, "Rows min(Q, rows*cols) of B per subarray.")
        .def_property_readonly(
            "is_fast", &pilot_operator::is_fast, "Whether B is a fast Hadamard transform.")
        .def_property_readonly(
            "mask",
            [](const pilot_operator& self) {
                py::array_t<bool> mask({ self.shape().n_subarrays, self.n_slots() });
                std::copy(self.mask().begin(), self.mask().end(), mask.mutable_data());
                return mask;
            },
            "Which pilots are heard, bool [S, Q] (a copy).")
        .def("with_mask",
             &with_mask,
             py::arg("mask"),
             "The same combiner with pilots left out, of a dead RF chain or of slots that were hit:\n"
             "`mask` is bool [S, Q], False = not observed, and replaces the mask that there is. Sizes stay;\n"
             "`measure` gives zeros there, and estimators do not look at them. Raises ValueError on a wrong\n"
             "shape or when nothing is left.")
        .def("__repr__", &pilot_operator::repr);
}

} // namespace

} // namespace thzum
} // namespace gr

void bind_pilot_operator(pybind11::module& m)
{
    using namespace gr::thzum;

    py::class_<pilot_operator, pilot_operator::sptr> operators(
        m,
        "pilot_operator",
        "What the pilot slots of an array of subarrays measure: y[s,q] = c[s,q] . (h[s] + "
        "w[s,q]).\n\n"
        "`combiner` is complex or real [S, Q, rows*cols]. `noise_model` is \"per_slot\" (fresh "
        "noise in\n"
        "each slot, as on a receiver) or \"common\" (one noise vector through all slots). Raises\n"
        "ValueError on a wrong shape, NaN, Inf or a row of zeros. Serves one thread at a time.");
    operators.def(py::init(&make),
                  py::arg("combiner"),
                  py::arg("rows"),
                  py::arg("cols"),
                  py::arg("noise_model") = "per_slot");
    operators.def_static(
        "hadamard",
        &hadamard,
        py::arg("n_subarrays"),
        py::arg("rows"),
        py::arg("cols"),
        py::arg("n_slots"),
        py::arg("seed") = 1,
        "Semi-orthogonal operator: `n_slots` rows of a sign-randomised Hadamard matrix per "
        "subarray,\n"
        "entries +-1/sqrt(rows*cols), A A^H = I. rows*cols must be a power of two.");
    bind_transforms(operators);
    bind_properties(operators);
}
