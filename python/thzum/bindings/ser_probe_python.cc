/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/***********************************************************************************/
/* BINDTOOL_GEN_AUTOMATIC(0)                                                       */
/* BINDTOOL_USE_PYGCCXML(0)                                                        */
/* BINDTOOL_HEADER_FILE(ser_probe.h)                                               */
/* BINDTOOL_HEADER_FILE_HASH(aa7cd6fe80883c274b6b4c5ceac1cc1e)                     */
/***********************************************************************************/

#include <gnuradio/thzum/ser_probe.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace py = pybind11;

void bind_ser_probe(py::module& m)
{
    using gr::thzum::ser_probe;
    py::class_<ser_probe, gr::sync_block, gr::block, gr::basic_block, std::shared_ptr<ser_probe>>(
        m,
        "ser_probe",
        "Block: running symbol error rate of detected symbols (input 0) against true ones (input\n"
        "1),\n"
        "both int32 vectors of n_users. Pairs in which either is negative are left out.\n\n"
        "Args:\n"
        "    n_users: length of the vectors.\n"
        "    report_interval: items between messages on the port report (ser, user_ser, errors,\n"
        "        count).\n"
        "    window: items that the output looks back on: a float per item, the symbol error rate\n"
        "        of late.")
        .def(py::init(&ser_probe::make),
             py::arg("n_users"),
             py::arg("report_interval") = 1000,
             py::arg("window") = 1000)
        .def("ser", &ser_probe::ser, "Symbol error rate over all users; NaN before the first pair.")
        .def("user_ser",
             &ser_probe::user_ser,
             "[n_users] symbol error rates; NaN where none counted.")
        .def("errors", &ser_probe::errors, "Wrong symbols.")
        .def("count", &ser_probe::count, "Symbols compared.")
        .def("reset", &ser_probe::reset, "Start counting anew.");
}
