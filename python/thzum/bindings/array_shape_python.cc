/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/***********************************************************************************/
/* This file is written by hand; the build compares the hash of the header it binds */
/* BINDTOOL_GEN_AUTOMATIC(0)                                                       */
/* BINDTOOL_USE_PYGCCXML(0)                                                        */
/* BINDTOOL_HEADER_FILE(array_shape.h)                                                      */
/* BINDTOOL_HEADER_FILE_HASH(64b5f8108a88f50ab189b710fb4f9c68) */
/***********************************************************************************/

#include <gnuradio/thzum/array_shape.h>
#include <pybind11/pybind11.h>

namespace py = pybind11;

void bind_array_shape(py::module& m)
{
    using gr::thzum::array_shape;

    py::class_<array_shape>(m,
                            "array_shape",
                            "Dimensions of an array of subarrays; a channel vector is ordered "
                            "[subarray][row (y)][column (x)].")
        .def(py::init([](int n_subarrays, int rows, int cols) {
                 return array_shape{ n_subarrays, rows, cols };
             }),
             py::arg("n_subarrays"),
             py::arg("rows"),
             py::arg("cols"))
        .def_readonly("n_subarrays", &array_shape::n_subarrays, "S, the number of RF chains.")
        .def_readonly("rows", &array_shape::rows, "Elements of one subarray along y.")
        .def_readonly("cols", &array_shape::cols, "Elements of one subarray along x.")
        .def_property_readonly("elements", &array_shape::elements, "Elements of one subarray.")
        .def_property_readonly("antennas", &array_shape::antennas, "Antennas N over all subarrays.")
        .def("__eq__",
             [](const array_shape& self, const array_shape& other) { return self == other; })
        .def("__hash__",
             [](const array_shape& self) {
                 return py::hash(py::make_tuple(self.n_subarrays, self.rows, self.cols));
             })
        .def("__repr__", [](const array_shape& self) {
            return "array_shape(n_subarrays=" + std::to_string(self.n_subarrays) +
                   ", rows=" + std::to_string(self.rows) + ", cols=" + std::to_string(self.cols) +
                   ")";
        });
}
