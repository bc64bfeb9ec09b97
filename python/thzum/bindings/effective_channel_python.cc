/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/***********************************************************************************/
/* BINDTOOL_GEN_AUTOMATIC(0)                                                       */
/* BINDTOOL_USE_PYGCCXML(0)                                                        */
/* BINDTOOL_HEADER_FILE(effective_channel.h)                                       */
/* BINDTOOL_HEADER_FILE_HASH(6a6f5d13c5cb06ba4d0da283c51a2c6b)                     */
/***********************************************************************************/

#include "options.h"
#include <gnuradio/thzum/effective_channel.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace py = pybind11;

namespace {

using gr::thzum::effective_channel;

effective_channel::sptr make(int n_subarrays,
                             int n_antennas,
                             int n_users,
                             const py::object& codebook,
                             const std::vector<int>& beams,
                             double noise_scale)
{
    return effective_channel::make(n_subarrays,
                                   n_antennas,
                                   n_users,
                                   gr::thzum::bindings::to_complex_values("codebook", codebook),
                                   beams,
                                   noise_scale);
}

} // namespace

void bind_effective_channel(py::module& m)
{
    py::class_<effective_channel,
               gr::sync_decimator,
               gr::sync_block,
               gr::block,
               gr::basic_block,
               std::shared_ptr<effective_channel>>(
        m,
        "effective_channel",
        "Block: channel behind the data combiner, H[s, k] = codebook[beams[s]] . h_k[s].\n\n"
        "In: h_hat, complex64 vectors of n_subarrays*n_antennas, n_users items per frame. Out:\n"
        "complex64\n"
        "vectors of n_subarrays*n_users, row-major [subarray][user], one per frame.\n\n"
        "Args:\n"
        "    n_subarrays: subarrays (RF chains).\n"
        "    n_antennas: antennas of one subarray.\n"
        "    n_users: items per frame.\n"
        "    codebook: complex [n_beams, n_antennas], rows of unit norm.\n"
        "    beams: [n_subarrays] codebook rows used without a tag thzum_beams; empty = row 0.\n"
        "    noise_scale: data noise variance / reported noise variance; 0 = n_users.")
        .def(py::init(&make),
             py::arg("n_subarrays"),
             py::arg("n_antennas"),
             py::arg("n_users"),
             py::arg("codebook"),
             py::arg("beams") = std::vector<int>(),
             py::arg("noise_scale") = 0.0)
        .def("set_beams",
             &effective_channel::set_beams,
             py::arg("beams"),
             "Codebook rows from the next frame on; ValueError for a wrong count or index.")
        .def("beams", &effective_channel::beams, "Codebook rows used without a tag.")
        .def("n_beams", &effective_channel::n_beams, "Rows of the codebook.")
        .def("frames", &effective_channel::frames, "Frames so far.")
        .def("skipped_users",
             &effective_channel::skipped_users,
             "Users so far whose column was set to zero.");
}
