/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/***********************************************************************************/
/* This file is written by hand; the build compares the hash of the header it binds */
/* BINDTOOL_GEN_AUTOMATIC(0)                                                       */
/* BINDTOOL_USE_PYGCCXML(0)                                                        */
/* BINDTOOL_HEADER_FILE(dictionary.h)                                                      */
/* BINDTOOL_HEADER_FILE_HASH(e12da1a7a6d5af3712191d12bc2a3525) */
/***********************************************************************************/

#include "arrays.h"
#include "dictionary_type.h"
#include <pybind11/stl.h>
#include <sstream>

namespace gr {
namespace thzum {

namespace {

py::array_t<gr_complex> analyze(dictionary& self, const py::object& response)
{
    const auto h = array_in<gr_complex>(response, "h", { self.rows() * self.cols() });
    auto c = array_out<gr_complex>(h, { self.coefficients() });
    gr_complex* out = c.mutable_data();
    py::gil_scoped_release release;
    self.analyze(h.data(), out, h.batch);
    return c;
}

py::array_t<gr_complex> synthesize(dictionary& self, const py::object& coefficients)
{
    const auto c = array_in<gr_complex>(coefficients, "c", { self.coefficients() });
    auto h = array_out<gr_complex>(c, { self.rows() * self.cols() });
    gr_complex* out = h.mutable_data();
    py::gil_scoped_release release;
    self.synthesize(c.data(), out, c.batch);
    return h;
}

py::array_t<float> image(visible_region& self, const py::object& coefficients)
{
    const auto c = array_in<gr_complex>(coefficients, "c", { self.coefficients() });
    auto pixels = array_out<float>(c, { 2, self.row_axis().grid, self.col_axis().grid });
    float* out = pixels.mutable_data();
    py::gil_scoped_release release;
    self.image(c.data(), out, c.batch);
    return pixels;
}

py::array_t<gr_complex> from_image(visible_region& self, const py::object& image)
{
    const auto pixels =
        array_in<float>(image, "image", { 2, self.row_axis().grid, self.col_axis().grid });
    auto c = array_out<gr_complex>(pixels, { self.coefficients() });
    gr_complex* out = c.mutable_data();
    py::gil_scoped_release release;
    self.from_image(pixels.data(), out, pixels.batch);
    return c;
}

std::string axis_repr(const visible_region::axis& axis)
{
    std::ostringstream out;
    out << "visible_region.axis(size=" << axis.size << ", n_slepian=" << axis.n_slepian
        << ", half_bandwidth=" << axis.half_bandwidth << ", grid=" << axis.grid
        << ", span=" << axis.span << ")";
    return out.str();
}

void bind_axis(py::handle scope)
{
    using axis = visible_region::axis;
    py::class_<axis>(scope, "axis", "Settings of one axis of a visible region.")
        .def(py::init([](int size, int n_slepian, double half_bandwidth, int grid, double span) {
                 return axis{ size, n_slepian, half_bandwidth, grid, span };
             }),
             py::arg("size"),
             py::arg("n_slepian"),
             py::arg("half_bandwidth"),
             py::arg("grid"),
             py::arg("span"))
        .def_static("for_spacing",
                    &axis::for_spacing,
                    py::arg("size"),
                    py::arg("spacing"),
                    "Settings for `size` elements `spacing` wavelengths apart.")
        .def_readonly("size", &axis::size, "Elements.")
        .def_readonly("n_slepian", &axis::n_slepian, "Slepian sequences kept.")
        .def_readonly("half_bandwidth", &axis::half_bandwidth, "Cycles per element.")
        .def_readonly("grid", &axis::grid, "Zoom-DFT bins.")
        .def_readonly("span", &axis::span, "The bins lie on [-span, span] cycles per element.")
        .def("__repr__", &axis_repr);
}

} // namespace

} // namespace thzum
} // namespace gr

void bind_dictionary(pybind11::module& m)
{
    using namespace gr::thzum;

    py::class_<dictionary, dictionary::sptr>(
        m,
        "dictionary",
        "Orthonormal dictionary of one subarray: h = D c with D^H D = I.\n\n"
        "`name` is one of names(): \"identity\"; \"dft\", the orthonormal 2-D DFT, of which the\n"
        "coefficients are F^H h (np.fft.ifft2(h, norm=\"ortho\")); \"visible_region\", the "
        "Slepian\n"
        "subspace of plane waves on elements `spacing` wavelengths apart. Serves one thread.")
        .def(py::init(&dictionary::make),
             py::arg("name"),
             py::arg("rows"),
             py::arg("cols"),
             py::arg("spacing") = 0.2)
        .def_static("names", &dictionary::names, "Names of the dictionaries.")
        .def_property_readonly("name", &dictionary::name)
        .def_property_readonly("rows", &dictionary::rows, "Elements along y.")
        .def_property_readonly("cols", &dictionary::cols, "Elements along x.")
        .def_property_readonly(
            "coefficients", &dictionary::coefficients, "Number of coefficients k.")
        .def("analyze",
             &analyze,
             py::arg("h"),
             "Coefficients c = D^H h: complex [rows*cols] -> complex64 [k], or [B, ...] of either.")
        .def("synthesize",
             &synthesize,
             py::arg("c"),
             "Responses h = D c: complex [k] -> complex64 [rows*cols], or [B, ...] of either.")
        .def("__repr__", [](const dictionary& self) {
            return "dictionary('" + self.name() + "', rows=" + std::to_string(self.rows()) +
                   ", cols=" + std::to_string(self.cols()) +
                   ", coefficients=" + std::to_string(self.coefficients()) + ")";
        });

    py::class_<visible_region, dictionary, visible_region::sptr> region(
        m,
        "visible_region",
        "Subspace of the plane waves that a densely spaced subarray can see, and its zoom DFT.\n\n"
        "Spanned per axis by Slepian sequences (Bell Syst. Tech. J. 1978), the odd ones times j.");
    bind_axis(region);
    region.def(py::init(&visible_region::make), py::arg("row_axis"), py::arg("col_axis"))
        .def(py::init([](int rows, int cols, double spacing) {
                 return visible_region::make(visible_region::axis::for_spacing(rows, spacing),
                                             visible_region::axis::for_spacing(cols, spacing));
             }),
             py::arg("rows"),
             py::arg("cols"),
             py::arg("spacing") = 0.2)
        .def_property_readonly("row_axis", &visible_region::row_axis)
        .def_property_readonly("col_axis", &visible_region::col_axis)
        .def("image",
             &image,
             py::arg("c"),
             "Zoom DFT: complex [k] -> float32 [2, grid, grid] (real, imaginary), or [B, ...].")
        .def("from_image",
             &from_image,
             py::arg("image"),
             "Least-squares inverse of image(): float [2, grid, grid] -> complex64 [k], or [B, "
             "...].")
        .def("__repr__", [](const visible_region& self) {
            return "visible_region(row_axis=" + axis_repr(self.row_axis()) +
                   ", col_axis=" + axis_repr(self.col_axis()) + ")";
        });
}
