/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/* BINDTOOL_GEN_AUTOMATIC(0)                                              */
/* BINDTOOL_USE_PYGCCXML(0)                                               */
/* BINDTOOL_HEADER_FILE(radio_setup.h)                                    */
/* BINDTOOL_HEADER_FILE_HASH(9da468b3a90afec49a9c681aceea327c) */

#include <gnuradio/thzum/radio_setup.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace py = pybind11;

void bind_radio_setup(py::module& m)
{
    using gr::thzum::radio_setup;
    using gr::thzum::uplink_parameters;
    py::class_<radio_setup>(m,
                            "radio_setup",
                            R"(What the virtual radio's driver has to know, for a file.

gnuradio.thzum.radio.write_setup fills it.

Args:
    channel: uplink_parameters whose schedule counts from time 0 of the medium.
    carrier_frequency: in Hz.
    frame_length: samples of a frame.
    plan: fingerprint of the pilot plan.
    beams: code book indices of the data beams, one for each RF chain.)")
        .def(py::init([](const uplink_parameters& channel,
                         double carrier_frequency,
                         int64_t frame_length,
                         uint64_t plan,
                         const std::vector<int>& beams) {
                 return radio_setup{ channel, carrier_frequency, frame_length, plan, beams };
             }),
             py::arg("channel"),
             py::arg("carrier_frequency"),
             py::arg("frame_length"),
             py::arg("plan"),
             py::arg("beams"))
        .def("save", &radio_setup::save, py::arg("path"), "Write the file.")
        .def_static("load", &radio_setup::load, py::arg("path"), "Read a file.")
        .def_readonly("carrier_frequency", &radio_setup::carrier_frequency)
        .def_readonly("frame_length", &radio_setup::frame_length)
        .def_readonly("plan", &radio_setup::plan)
        .def_readonly("beams", &radio_setup::beams)
        .def_readonly("channel", &radio_setup::channel);
}
