/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/***********************************************************************************/
/* BINDTOOL_GEN_AUTOMATIC(0)                                                       */
/* BINDTOOL_USE_PYGCCXML(0)                                                        */
/* BINDTOOL_HEADER_FILE(mimo_detector.h)                                           */
/* BINDTOOL_HEADER_FILE_HASH(065737f23280b8ea0c06f04334e219ab)                     */
/***********************************************************************************/

#include "options.h"
#include <gnuradio/thzum/mimo_detector.h>
#include <pybind11/pybind11.h>

namespace py = pybind11;

namespace {

using gr::thzum::mimo_detector;
using gr::thzum::bindings::to_options;

mimo_detector::sptr make(const std::string& algorithm,
                         int n_rx,
                         int n_tx,
                         const std::string& constellation,
                         int n_symbols,
                         double noise_var,
                         const py::dict& options,
                         int offset,
                         int block_length)
{
    const auto map = to_options(options);
    py::gil_scoped_release release;
    return mimo_detector::make(
        algorithm, n_rx, n_tx, constellation, n_symbols, noise_var, map, offset, block_length);
}

} // namespace

void bind_mimo_detector(py::module& m)
{
    using release_gil = py::call_guard<py::gil_scoped_release>;
    py::class_<mimo_detector, gr::block, gr::basic_block, std::shared_ptr<mimo_detector>>(
        m,
        "mimo_detector",
        "Block: effective channel H and received vectors y in, symbols and soft bits out.\n\n"
        "In: H, complex64 vectors of n_rx*n_tx, row-major, one per coherence block; y, complex64\n"
        "vectors of n_rx, block_length per coherence block. Out, one item per detected y: symbols\n"
        "(int32, -1 = none), llr (float32 [n_tx][bits]), x_hat (complex64), variance (float32),\n"
        "posterior (float32, variance of the symbol given x_hat).\n\n"
        "Args:\n"
        "    algorithm: one of detectors().\n"
        "    n_rx, n_tx: receive samples per vector (RF chains) and users.\n"
        "    constellation: one of constellations().\n"
        "    n_symbols: vectors to detect per coherence block.\n"
        "    noise_var: variance of one complex receive sample; 0 = the tag thzum_noise_var of H.\n"
        "    options: dict of the algorithm's options, see detector_options(name).\n"
        "    offset: vectors of a coherence block before those to detect, left out.\n"
        "    block_length: vectors of y per coherence block; 0 = offset + n_symbols. A tag\n"
        "        thzum_vectors of an H takes its place.\n\n"
        "Vectors that cannot be detected become symbols -1 and zeros with the tag thzum_skipped.\n"
        "Message ports: report (out, a dictionary per coherence block) and control (in: "
        "algorithm,\n"
        "options, noise_var).")
        .def(py::init(&make),
             py::arg("algorithm"),
             py::arg("n_rx"),
             py::arg("n_tx"),
             py::arg("constellation"),
             py::arg("n_symbols"),
             py::arg("noise_var") = 0.0,
             py::arg("options") = py::dict(),
             py::arg("offset") = 0,
             py::arg("block_length") = 0)
        .def("set_algorithm",
             &gr::thzum::bindings::set_algorithm<mimo_detector>,
             py::arg("name"),
             py::arg("options") = py::dict(),
             "Change the algorithm while running; ValueError leaves the old one in place.")
        .def("set_constellation",
             &mimo_detector::set_constellation,
             py::arg("constellation"),
             release_gil(),
             "Change the constellation while running, of as many bits if the soft bits are\n"
             "connected; ValueError leaves the old one in place.")
        .def("constellation", &mimo_detector::constellation, "Name of the constellation.")
        .def("set_noise_var",
             &mimo_detector::set_noise_var,
             py::arg("noise_var"),
             "Variance of one complex receive sample; 0 = from the tag.")
        .def("algorithm", &mimo_detector::algorithm, release_gil(), "Name of the algorithm in use.")
        .def("settings",
             &mimo_detector::settings,
             release_gil(),
             "Settings of the algorithm in use, in one line.")
        .def("noise_var", &mimo_detector::noise_var, "Noise variance given; 0 = from the tag.")
        .def("detected", &mimo_detector::detected, "Vectors detected so far.")
        .def("skipped", &mimo_detector::skipped, "Vectors skipped so far.")
        .def("largest_batch",
             &mimo_detector::largest_batch,
             "Largest number of vectors that one call has had.");
}
