/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/* BINDTOOL_GEN_AUTOMATIC(0)                                              */
/* BINDTOOL_USE_PYGCCXML(0)                                               */
/* BINDTOOL_HEADER_FILE(uplink_frame_source.h) */
/* BINDTOOL_HEADER_FILE_HASH(b0e7ce0d54a6885a6e2945499aa9ccc3) */

#include <gnuradio/thzum/uplink_frame_source.h>
#include <pybind11/pybind11.h>

namespace py = pybind11;

void bind_uplink_frame_source(py::module& m)
{
    using gr::thzum::air_frame;
    using gr::thzum::payload_code;
    using gr::thzum::uplink_frame_source;

    py::class_<uplink_frame_source,
               gr::block,
               gr::basic_block,
               std::shared_ptr<uplink_frame_source>>(
        m,
        "uplink_frame_source",
        R"(Users' bytes to the samples that they send: frames without pause.

Bytes come on message port pdus, as (dictionary . u8vector) with the entry user, or by streams of bytes, one
input per user or none. Outputs: one stream of samples per user, tagged thzum_frame and thzum_users at the
first sample of a frame. Message port report: a dictionary per frame with frame, users and bytes.

Args:
    frame: the air_frame.
    code: a payload_code for the frame's number of data symbols, of which nobody else makes use.
    users: bit k set when user k sends; -1 for all.
    n_frames: frames after which the outputs end; 0 goes on.

Raises:
    ValueError: naming the argument, what was expected and what came.)")
        .def(py::init([](std::shared_ptr<air_frame> frame,
                         payload_code::sptr code,
                         int64_t users,
                         uint64_t n_frames) {
                 return uplink_frame_source::make(frame, code, users, n_frames);
             }),
             py::arg("frame"),
             py::arg("code"),
             py::arg("users") = -1,
             py::arg("n_frames") = 0)
        .def("frames", &uplink_frame_source::frames, "Frames begun so far.")
        .def("dropped", &uplink_frame_source::dropped, "Messages that were dropped.");
}
