/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/* BINDTOOL_GEN_AUTOMATIC(0)                                              */
/* BINDTOOL_USE_PYGCCXML(0)                                               */
/* BINDTOOL_HEADER_FILE(thz_uplink_channel.h)                             */
/* BINDTOOL_HEADER_FILE_HASH(0b133b694d8e7e9e345db402caa9e6f7) */

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace py = pybind11;

#include <gnuradio/thzum/thz_uplink_channel.h>

void bind_thz_uplink_channel(py::module& m)
{
    using gr::thzum::thz_uplink_channel;

    py::class_<thz_uplink_channel, gr::block, gr::basic_block, std::shared_ptr<thz_uplink_channel>>(
        m,
        "thz_uplink_channel",
        R"(Users' sample streams through a THz channel and analog combiners into RF chains.

Inputs: one stream of complex samples per user. Outputs: one per RF chain, and the true channels, vectors
of N, one per user at every instant asked for (may stay unconnected; tagged thzum_user, thzum_frame and
thzum_sample, the RF chains' sample of the instant). Output sample m belongs to input sample m - latency().
Tags of input 0 move along; what is due at the end of the inputs comes out.

Message port control: {entry} or {entries, lengths} of the combiner table, from the channel time {sample}
on (by default now); {noise_var}. Port report: {bad_samples} when samples that are not finite counted as
zero.

Args:
    parameters: from gnuradio.thzum.channel.UplinkChannel.parameters(), where everything is described.)")
        .def(py::init(&thz_uplink_channel::make), py::arg("parameters"))
        .def("set_schedule",
             &thz_uplink_channel::set_schedule,
             py::arg("entries"),
             py::arg("lengths"),
             py::arg("sample"),
             "Another frame of combiners, which begins at the channel time sample, or now.")
        .def("set_entry",
             &thz_uplink_channel::set_entry,
             py::arg("entry"),
             "One combiner from now on.")
        .def("set_noise_var",
             &thz_uplink_channel::set_noise_var,
             py::arg("noise_var"),
             "Change the antenna noise variance from now on.")
        .def("noise_var", &thz_uplink_channel::noise_var, "Antenna noise variance of a sample.")
        .def("latency", &thz_uplink_channel::latency, "Samples by which outputs lag behind inputs.")
        .def("bad_samples",
             &thz_uplink_channel::bad_samples,
             "Samples that were not finite and counted as zero.");
}
