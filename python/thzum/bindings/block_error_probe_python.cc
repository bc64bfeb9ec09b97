/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/***********************************************************************************/
/* BINDTOOL_GEN_AUTOMATIC(0)                                                       */
/* BINDTOOL_USE_PYGCCXML(0)                                                        */
/* BINDTOOL_HEADER_FILE(block_error_probe.h)                                       */
/* BINDTOOL_HEADER_FILE_HASH(1c453d836684c55b472b891d7867aeb0) */
/***********************************************************************************/

#include <gnuradio/thzum/block_error_probe.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace py = pybind11;

void bind_block_error_probe(py::module& m)
{
    using gr::thzum::block_error_probe;
    py::class_<block_error_probe,
               gr::sync_block,
               gr::block,
               gr::basic_block,
               std::shared_ptr<block_error_probe>>(
        m,
        "block_error_probe",
        "Block: compares decoded bits (input 0) with sent ones (input 1), one per byte, in "
        "blocks.\n\n"
        "Args:\n"
        "    block_size: bits of a block.\n"
        "    n_users: whose blocks take turns.\n"
        "    report_interval: blocks between messages on the port report (bler, ber, user_bler,\n"
        "block_errors, bit_errors, count).")
        .def(py::init(&block_error_probe::make),
             py::arg("block_size"),
             py::arg("n_users") = 1,
             py::arg("report_interval") = 100)
        .def("bler", &block_error_probe::bler, "Wrong blocks over blocks; NaN before the first.")
        .def("ber", &block_error_probe::ber, "Wrong bits over bits; NaN before the first block.")
        .def("user_bler",
             &block_error_probe::user_bler,
             "[n_users] block error rates; NaN where none counted.")
        .def("block_errors", &block_error_probe::block_errors, "Wrong blocks.")
        .def("bit_errors", &block_error_probe::bit_errors, "Wrong bits.")
        .def("count", &block_error_probe::count, "Blocks compared.")
        .def("reset", &block_error_probe::reset, "Start counting anew.");
}
