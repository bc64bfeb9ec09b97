/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/* BINDTOOL_GEN_AUTOMATIC(0)                                              */
/* BINDTOOL_USE_PYGCCXML(0)                                               */
/* BINDTOOL_HEADER_FILE(pilot_receiver.h)                                 */
/* BINDTOOL_HEADER_FILE_HASH(525ae80337c4b4e2c3cb5c3ca0b184f4) */

#include "arrays.h"
#include <gnuradio/thzum/pilot_receiver.h>

namespace py = pybind11;

namespace {

using gr::thzum::pilot_receiver;

// Chip sequences [n_users][P]; None stands for the DFT.
std::vector<gr_complex> sequence_values(const py::object& given, int n_users)
{
    if (given.is_none())
        return {};
    const auto values = gr::thzum::single_array_in<gr_complex>(
        given, "sequences", { n_users, gr::thzum::any_size });
    if (values.shape(1) < n_users)
        gr::thzum::refuse("sequences",
                          "at least as many chips as users, " + std::to_string(n_users),
                          gr::thzum::describe(values));
    return std::vector<gr_complex>(values.data(), values.data() + values.size());
}

} // namespace

void bind_pilot_receiver(py::module& m)
{
    py::class_<pilot_receiver, gr::block, gr::basic_block, std::shared_ptr<pilot_receiver>>(
        m,
        "pilot_receiver",
        R"(From the samples of all RF chains to pilot observations and data vectors.

Frame on every chain: n_noise silent samples, n_slots pilot slots of P chips, n_data data symbols; its
first sample carries the tag thzum_frame on input 0. Outputs: y, vectors of n_chains * n_slots, exactly
n_users per frame in user order; data, vectors of n_chains, exactly n_data per frame. Bad frames and
unscheduled users give zero items tagged thzum_skipped.

Args:
    n_chains: RF chains S, which is the number of inputs.
    n_noise: silent samples in front of the pilots.
    n_slots: pilot slots Q.
    n_users: users K.
    n_data: data symbols per frame.
    sequences: complex [K, P] orthogonal chips of magnitude 1, P >= K; None for the rows of a K-point DFT.
    row_energy: mean ||c||^2 of the combiner rows, by which measured noise is divided.

Raises:
    ValueError: naming the argument, what was expected and what came.)")
        .def(py::init([](int n_chains,
                         int n_noise,
                         int n_slots,
                         int n_users,
                         int n_data,
                         const py::object& sequences,
                         double row_energy) {
                 return pilot_receiver::make(n_chains,
                                             n_noise,
                                             n_slots,
                                             n_users,
                                             n_data,
                                             sequence_values(sequences, n_users),
                                             row_energy);
             }),
             py::arg("n_chains"),
             py::arg("n_noise"),
             py::arg("n_slots"),
             py::arg("n_users"),
             py::arg("n_data"),
             py::arg("sequences") = py::none(),
             py::arg("row_energy") = 1.0)
        .def("frames", &pilot_receiver::frames, "Frames put out, the lost ones included.")
        .def("lost_frames",
             &pilot_receiver::lost_frames,
             "Frames cut short, with bad samples, or unfinished when the stream stopped.")
        .def("skipped_items",
             &pilot_receiver::skipped_items,
             "Items put out as zeros on either output, unscheduled users included.")
        .def("frame_length", &pilot_receiver::frame_length, "Samples of a frame on each chain.");
}
