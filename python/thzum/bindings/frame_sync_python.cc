/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/* BINDTOOL_GEN_AUTOMATIC(0)                                              */
/* BINDTOOL_USE_PYGCCXML(0)                                               */
/* BINDTOOL_HEADER_FILE(frame_sync.h) */
/* BINDTOOL_HEADER_FILE_HASH(a7906359c6f0b11e9620ce56bc3d83f1) */

#include <gnuradio/thzum/frame_sync.h>
#include <pybind11/complex.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace py = pybind11;

void bind_frame_sync(py::module& m)
{
    using gr::thzum::air_frame;
    using gr::thzum::frame_sync;

    py::class_<frame_sync, gr::block, gr::basic_block, std::shared_ptr<frame_sync>>(
        m,
        "frame_sync",
        R"(Finds frames in the samples of all RF chains and hands their symbols on.

Inputs: one stream of samples per RF chain. Outputs: one stream of symbols per RF chain, the noise, pilot and
data symbols of each frame as pilot_receiver takes them. Tags on the first: thzum_frame, thzum_sample,
thzum_cfo, thzum_users and thzum_beams, and thzum_user_cfo where users differ; among the data thzum_user_reference
and thzum_user_phase for the mimo_detector. Message port report: a dictionary per frame with frame, sample, cfo,
user_cfo, metric, phase_rms, noise_var, lost and bad_samples. Port control: users, beams, calibration.

Args:
    frame: the air_frame.
    n_chains: RF chains S.
    max_frequency: largest frequency offset in cycles per symbol, 0 to 0.45.
    false_alarm: of a place in the first stage of the search.
    per_chain: whether every chain has an oscillator of its own; else one for all.
    clock_offset: by how much the receiver's clock is fast, -1e-3 to 1e-3.
    users: bit k set when user k sends, for the tag and for users' own offsets; -1 for no tag.
    beams: [S] code book indices of the data beams, for the tag; empty for no tag.
    calibration: [S] complex gains of the chains, which are divided out; empty for ones.
    max_user_frequency: largest frequency of a user against the common one, in cycles per symbol, 0 to 0.05; 0 for
        users without a phase of their own.

Raises:
    ValueError: naming the argument, what was expected and what came.)")
        .def(py::init([](std::shared_ptr<air_frame> frame,
                         int n_chains,
                         double max_frequency,
                         double false_alarm,
                         bool per_chain,
                         double clock_offset,
                         int64_t users,
                         const std::vector<int>& beams,
                         const std::vector<gr_complex>& calibration,
                         double max_user_frequency) {
                 return frame_sync::make(frame,
                                         { n_chains,
                                           max_frequency,
                                           false_alarm,
                                           per_chain,
                                           clock_offset,
                                           max_user_frequency },
                                         users,
                                         beams,
                                         calibration);
             }),
             py::arg("frame"),
             py::arg("n_chains"),
             py::arg("max_frequency") = 0.22,
             py::arg("false_alarm") = 1e-3,
             py::arg("per_chain") = false,
             py::arg("clock_offset") = 0.0,
             py::arg("users") = -1,
             py::arg("beams") = std::vector<int>(),
             py::arg("calibration") = std::vector<gr_complex>(),
             py::arg("max_user_frequency") = 1e-3)
        .def("set_users", &frame_sync::set_users, py::arg("users"), "Users of the next frames.")
        .def("set_beams",
             &frame_sync::set_beams,
             py::arg("beams"),
             "Data beams of the next frames, [S] or none.")
        .def("set_calibration",
             &frame_sync::set_calibration,
             py::arg("calibration"),
             "Gains [S] of the chains from the next frame on.")
        .def("frames", &frame_sync::frames, "Frames handed on.")
        .def("lost_frames",
             &frame_sync::lost_frames,
             "Frames cut short, missing in time between others, or unfinished at the end.")
        .def("bad_samples", &frame_sync::bad_samples, "Samples that were not finite.");
}
