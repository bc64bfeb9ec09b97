/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/***********************************************************************************/
/* BINDTOOL_GEN_AUTOMATIC(0)                                                       */
/* BINDTOOL_USE_PYGCCXML(0)                                                        */
/* BINDTOOL_HEADER_FILE(onnx_denoiser.h)                                           */
/* BINDTOOL_HEADER_FILE_HASH(d3c232274e24d11337919fd006da9205) */
/***********************************************************************************/

#include "options.h"
#include <gnuradio/thzum/onnx_denoiser.h>
#include <pybind11/pybind11.h>

namespace py = pybind11;

namespace {

using gr::thzum::onnx_denoiser;

onnx_denoiser::sptr make(int n_subarrays,
                         int rows,
                         int cols,
                         const std::string& denoiser,
                         const py::dict& options,
                         double spacing,
                         bool divergence_free)
{
    const auto map = gr::thzum::bindings::to_options(options);
    py::gil_scoped_release release;
    return onnx_denoiser::make(
        { n_subarrays, rows, cols }, denoiser, map, spacing, divergence_free);
}

} // namespace

void bind_onnx_denoiser(py::module& m)
{
    py::class_<onnx_denoiser,
               gr::sync_block,
               gr::block,
               gr::basic_block,
               std::shared_ptr<onnx_denoiser>>(
        m,
        "onnx_denoiser",
        "Block: non-linear module of one iteration, a trained network or any other denoiser.\n"
        "\n"
        "In: r (complex64 vectors of antennas) and its float variance per coefficient. Out: the "
        "estimate\n"
        "(vectors of antennas) and, if connected, the float divergence of the denoiser. The tag\n"
        "thzum_amplitude on r says which amplitude per antenna counts as one; 1 where there is "
        "none.\n"
        "\n"
        "Args:\n"
        "    n_subarrays, rows, cols: the array.\n"
        "    denoiser: one of denoisers().\n"
        "    options: dict of its options, such as {\"model\": path}.\n"
        "    spacing: element spacing in wavelengths.\n"
        "    divergence_free: hand on (D(r) - alpha r) / (1 - alpha), as OAMP's next stage wants "
        "it.")
        .def(py::init(&make),
             py::arg("n_subarrays"),
             py::arg("rows"),
             py::arg("cols"),
             py::arg("denoiser") = "onnx",
             py::arg("options") = py::dict(),
             py::arg("spacing") = 0.2,
             py::arg("divergence_free") = false)
        .def("settings", &onnx_denoiser::settings, "Settings in one line.")
        .def("processed", &onnx_denoiser::processed, "Items processed so far.")
        .def("skipped", &onnx_denoiser::skipped, "Items skipped so far.");
}
