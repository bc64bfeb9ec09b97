/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/***********************************************************************************/
/* BINDTOOL_GEN_AUTOMATIC(0)                                                       */
/* BINDTOOL_USE_PYGCCXML(0)                                                        */
/* BINDTOOL_HEADER_FILE(effective_channel.h)                                       */
/* BINDTOOL_HEADER_FILE_HASH(9dd8cd5a38f301e5db6f56a32157aab0)                     */
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
                             double noise_scale,
                             const std::string& combiner)
{
    return effective_channel::make(n_subarrays,
                                   n_antennas,
                                   n_users,
                                   gr::thzum::bindings::to_complex_values("codebook", codebook),
                                   beams,
                                   noise_scale,
                                   combiner);
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
        "Block: channel behind the data combiner, H[s, k] = c_s . h_k[s].\n\n"
        "In: h_hat, complex64 vectors of n_subarrays*n_antennas, n_users items per frame. Out:\n"
        "complex64\n"
        "vectors of n_subarrays*n_users, row-major [subarray][user], one per frame; and the rows "
        "c_s, [subarray][antenna].\n\n"
        "Args:\n"
        "    n_subarrays: subarrays (RF chains).\n"
        "    n_antennas: antennas of one subarray.\n"
        "    n_users: items per frame.\n"
        "    codebook: complex [n_beams, n_antennas]; a row of another norm than one scales the\n"
        "        noise, as the tag thzum_noise_scale then says.\n"
        "    beams: [n_subarrays] codebook rows used without a tag thzum_beams; empty = row 0.\n"
        "    noise_scale: data noise variance / reported noise variance; 0 = n_users.\n"
        "    combiner: 'codebook' for given beams, or rows chosen from every frame's estimates by\n"
        "        the sum rate: 'dft' (of the codebook), 'matched' (users' matched filters), "
        "'svd'.\n\n"
        "Message port: combiner (out, a dictionary per frame with the rows chosen).")
        .def(py::init(&make),
             py::arg("n_subarrays"),
             py::arg("n_antennas"),
             py::arg("n_users"),
             py::arg("codebook"),
             py::arg("beams") = std::vector<int>(),
             py::arg("noise_scale") = 0.0,
             py::arg("combiner") = "codebook")
        .def("set_beams",
             &effective_channel::set_beams,
             py::arg("beams"),
             "Codebook rows from the next frame on; ValueError for a wrong count or index.")
        .def("beams", &effective_channel::beams, "Codebook rows used without a tag.")
        .def("set_combiner",
             &effective_channel::set_combiner,
             py::arg("combiner"),
             "How rows are chosen from the next frame on; ValueError for an unknown name.")
        .def("combiner", &effective_channel::combiner, "How rows are chosen.")
        .def("n_beams", &effective_channel::n_beams, "Rows of the codebook.")
        .def("frames", &effective_channel::frames, "Frames so far.")
        .def("skipped_users",
             &effective_channel::skipped_users,
             "Users so far whose column was set to zero.");
}
