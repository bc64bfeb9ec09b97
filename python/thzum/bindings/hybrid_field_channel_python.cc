/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/* BINDTOOL_GEN_AUTOMATIC(0)                                              */
/* BINDTOOL_USE_PYGCCXML(0)                                               */
/* BINDTOOL_HEADER_FILE(hybrid_field_channel.h)                           */
/* BINDTOOL_HEADER_FILE_HASH(8bef109621dd2b45e5100ed8606e6989) */

#include <pybind11/pybind11.h>

namespace py = pybind11;

#include <gnuradio/thzum/hybrid_field_channel.h>

void bind_hybrid_field_channel(py::module& m)
{
    using gr::thzum::hybrid_field_channel;

    py::class_<hybrid_field_channel,
               gr::sync_block,
               gr::block,
               gr::basic_block,
               std::shared_ptr<hybrid_field_channel>>(
        m,
        "hybrid_field_channel",
        R"(Source of simulated pilot observations y = A h + noise and the channels h behind them.

Args:
    op: the thzum.pilot_operator A; its noise model decides how noise enters.
    parameters: thzum.hybrid_field_parameters, see gnuradio.thzum.channel.native.parameters.
    snr_db: E|h_n|^2 / noise_var at an antenna, in dB, -200 to 200.
    seed: same seed, same items.
    n_items: items until the source is done; 0 for an endless source.

Outputs: y, vectors of op.n_observations; h, vectors of N with ||h||^2 = N (may stay unconnected). Every
item carries thzum_frame, thzum_user and thzum_noise_var.

Raises:
    ValueError: naming the argument, what was expected and what came.)")
        .def(py::init(&hybrid_field_channel::make),
             py::arg("op"),
             py::arg("parameters"),
             py::arg("snr_db"),
             py::arg("seed") = 0,
             py::arg("n_items") = 0)
        .def("set_snr_db",
             &hybrid_field_channel::set_snr_db,
             py::arg("snr_db"),
             "Change the signal-to-noise ratio in dB from the next work call on.")
        .def("snr_db", &hybrid_field_channel::snr_db, "Signal-to-noise ratio in dB.")
        .def("items", &hybrid_field_channel::items, "Items put out.");
}
