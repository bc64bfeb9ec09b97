/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/***********************************************************************************/
/* BINDTOOL_GEN_AUTOMATIC(0)                                                       */
/* BINDTOOL_USE_PYGCCXML(0)                                                        */
/* BINDTOOL_HEADER_FILE(nmse_probe.h)                                              */
/* BINDTOOL_HEADER_FILE_HASH(36e4d353c4d617da84f43dbd5e07bfc0) */
/***********************************************************************************/

#include <gnuradio/thzum/nmse_probe.h>
#include <pybind11/pybind11.h>

namespace py = pybind11;

void bind_nmse_probe(py::module& m)
{
    using gr::thzum::nmse_probe;
    py::class_<nmse_probe, gr::sync_block, gr::block, gr::basic_block, std::shared_ptr<nmse_probe>>(
        m,
        "nmse_probe",
        "Block: normalised mean-square error of estimates (input 0) against the truth (input "
        "1).\n\n"
        "Both inputs are complex64 vectors of length vlen; the optional float output is the NMSE "
        "of each\n"
        "item in dB. Items with an all-zero truth, NaN or Inf, or an estimate tagged thzum_skipped "
        "stay\n"
        "out of the mean and give NaN.")
        .def(py::init(&nmse_probe::make), py::arg("vlen"))
        .def("nmse_db",
             &nmse_probe::nmse_db,
             "NMSE in dB of the mean ratio since the start or reset(); NaN before the first item.")
        .def("count", &nmse_probe::count, "Items in the mean.")
        .def("ignored", &nmse_probe::ignored, "Items left out of the mean.")
        .def("reset", &nmse_probe::reset, "Start the mean anew.");
}
