/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/* BINDTOOL_GEN_AUTOMATIC(0)                                              */
/* BINDTOOL_USE_PYGCCXML(0)                                               */
/* BINDTOOL_HEADER_FILE(frame_synchronizer.h) */
/* BINDTOOL_HEADER_FILE_HASH(c473e926f089fe295780ee694e48e576) */

#include "arrays.h"
#include <gnuradio/thzum/frame_synchronizer.h>
#include <pybind11/stl.h>

namespace py = pybind11;

namespace {

using gr::thzum::air_frame;
using gr::thzum::frame_synchronizer;
using gr::thzum::synchronizer_settings;

py::dict result(const frame_synchronizer& sync)
{
    const auto& frame = sync.frame();
    const py::ssize_t chains = sync.settings().n_chains, n = sync.layout()->n_received();
    py::array_t<gr_complex> symbols({ chains, n });
    std::copy(frame.symbols.begin(), frame.symbols.end(), symbols.mutable_data());
    py::dict dict;
    dict["frame"] = frame.number;
    dict["instant"] = frame.instant;
    dict["cfo"] = frame.frequency;
    dict["metric"] = frame.metric;
    dict["phase_rms"] = frame.phase_rms;
    dict["noise_var"] = py::array_t<double>(py::ssize_t(chains), frame.noise_var.data());
    dict["symbols"] = symbols;
    const py::ssize_t users = py::ssize_t(frame.user_frequency.size());
    dict["user_cfo"] = py::array_t<double>(users, frame.user_frequency.data());
    const py::ssize_t data = py::ssize_t(frame.user_phases.size()) / users;
    py::array_t<double> phases({ data, users });
    std::copy(frame.user_phases.begin(), frame.user_phases.end(), phases.mutable_data());
    dict["user_phases"] = frame.has_user_phases ? py::object(phases) : py::none();
    py::array_t<gr_complex> references({ chains, users });
    std::copy(
        frame.user_references.begin(), frame.user_references.end(), references.mutable_data());
    dict["user_references"] = frame.has_user_references ? py::object(references) : py::none();
    return dict;
}

// Samples that are not finite are the synchroniser's own matter.
py::list process(frame_synchronizer& sync, const py::object& samples)
{
    using complexes = py::array_t<gr_complex, py::array::c_style | py::array::forcecast>;
    const auto x = complexes::ensure(samples);
    if (!x)
        PyErr_Clear();
    const int chains = sync.settings().n_chains;
    if (!x || x.ndim() != 2 || x.shape(0) != chains)
        gr::thzum::refuse("samples",
                          "complex64 of shape [" + std::to_string(chains) + ", *]",
                          x ? gr::thzum::describe(x) : std::string(py::str(py::type::of(samples))));
    py::list found;
    const py::ssize_t count = x.shape(1);
    py::ssize_t at = 0;
    while (true) {
        std::vector<const gr_complex*> rows;
        for (int s = 0; s < chains; s++)
            rows.push_back(x.data() + s * count + at);
        {
            py::gil_scoped_release release;
            at += sync.push(rows.data(), int(count - at));
        }
        if (!sync.has_frame())
            return found;
        found.append(result(sync));
        sync.release();
    }
}

} // namespace

void bind_frame_synchronizer(py::module& m)
{
    py::class_<frame_synchronizer, std::shared_ptr<frame_synchronizer>>(
        m,
        "frame_synchronizer",
        R"(From samples of the RF chains to the symbols of frames; the algorithm of the block frame_sync.

Args:
    frame: the air_frame.
    n_chains: RF chains S.
    max_frequency: largest frequency offset in cycles per symbol, 0 to 0.45.
    false_alarm: of a place in the first stage of the search.
    per_chain: whether every chain has an oscillator of its own; else one for all.
    clock_offset: by how much the receiver's clock is fast, -1e-3 to 1e-3.
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
                         double max_user_frequency) {
                 return frame_synchronizer::make(frame,
                                                 { n_chains,
                                                   max_frequency,
                                                   false_alarm,
                                                   per_chain,
                                                   clock_offset,
                                                   max_user_frequency });
             }),
             py::arg("frame"),
             py::arg("n_chains"),
             py::arg("max_frequency") = 0.22,
             py::arg("false_alarm") = 1e-3,
             py::arg("per_chain") = false,
             py::arg("clock_offset") = 0.0,
             py::arg("max_user_frequency") = 1e-3)
        .def(
            "process",
            &process,
            py::arg("samples"),
            "The frames that end within the next samples [S, n] of the stream: a list of "
            "dictionaries with frame, instant, cfo, metric, phase_rms, noise_var [S], symbols "
            "complex64 [S, n_received], user_cfo [K] against cfo, and user_phases [n_data, K], the "
            "radians by which users are still turned in the data, or None where they are not, and "
            "user_references [S, K], each user's pilots among the data behind the data beams with "
            "the noise of a data symbol, or None.")
        .def("tail",
             &frame_synchronizer::tail,
             "Samples of silence that stand for what a stream lacks at its end: after as many the "
             "frame with which it ended is complete.")
        .def("set_users",
             &frame_synchronizer::set_users,
             py::arg("users"),
             "Users who send from the next frame on: bit k is set when user k does; -1: all.")
        .def("set_calibration",
             &frame_synchronizer::set_calibration,
             py::arg("gains"),
             "Gains [S] that are divided out.")
        .def("restart", &frame_synchronizer::restart, "The next sample may follow anything.")
        .def("frames", &frame_synchronizer::frames, "Frames complete so far.")
        .def("cut_short", &frame_synchronizer::cut_short, "Frames cut short by the next one.")
        .def("missed", &frame_synchronizer::missed, "Frames missing between those found.")
        .def("pending",
             &frame_synchronizer::pending,
             "Samples that a frame coming in has had so far, 0 between frames.")
        .def("bad_samples", &frame_synchronizer::bad_samples, "Samples that were not finite.");
}
