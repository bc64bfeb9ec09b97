/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/* BINDTOOL_GEN_AUTOMATIC(0)                                              */
/* BINDTOOL_USE_PYGCCXML(0)                                               */
/* BINDTOOL_HEADER_FILE(uplink_payload.h) */
/* BINDTOOL_HEADER_FILE_HASH(7ee1dae0aae33c6787f5ddf4a4dc462b) */

#include <gnuradio/thzum/uplink_payload.h>
#include <pybind11/pybind11.h>

namespace py = pybind11;

void bind_uplink_payload(py::module& m)
{
    using gr::thzum::uplink_payload;

    py::class_<uplink_payload,
               gr::sync_block,
               gr::block,
               gr::basic_block,
               std::shared_ptr<uplink_payload>>(
        m,
        "uplink_payload",
        R"(Soft bits of the users to the bytes that they sent.

Input: float vectors of n_users * bits as a mimo_detector gives them, tagged thzum_frame on the first of a
frame. Message port pdus: (dictionary . u8vector) with user, frame and received_frame for every good payload.
Port report: a dictionary per frame with frame, good and bad (user masks) and lost (per user).

Args:
    n_users: users K.
    code: a payload_code with the transmitter's parameters, of which nobody else makes use.

Raises:
    ValueError: naming the argument, what was expected and what came.)")
        .def(py::init(&uplink_payload::make), py::arg("n_users"), py::arg("code"))
        .def("received", &uplink_payload::received, py::arg("user"), "Good payloads of a user.")
        .def("lost",
             &uplink_payload::lost,
             py::arg("user"),
             "Frames whose number is missing between good ones of a user.")
        .def("bad_headers",
             &uplink_payload::bad_headers,
             py::arg("user"),
             "Headers of a user whose checksum was wrong.")
        .def("bad_payloads",
             &uplink_payload::bad_payloads,
             py::arg("user"),
             "Payloads behind good headers of a user whose checksum was wrong.")
        .def("cut_short", &uplink_payload::cut_short, "Frames whose vectors did not all come.");
}
