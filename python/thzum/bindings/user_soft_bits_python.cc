/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/***********************************************************************************/
/* BINDTOOL_GEN_AUTOMATIC(0)                                                       */
/* BINDTOOL_USE_PYGCCXML(0)                                                        */
/* BINDTOOL_HEADER_FILE(user_soft_bits.h)                                          */
/* BINDTOOL_HEADER_FILE_HASH(84ad99d29e020271503aeba32288d83e) */
/***********************************************************************************/

#include <gnuradio/thzum/user_soft_bits.h>
#include <pybind11/pybind11.h>

namespace py = pybind11;

void bind_user_soft_bits(py::module& m)
{
    using gr::thzum::user_soft_bits;
    py::class_<user_soft_bits, gr::block, gr::basic_block, std::shared_ptr<user_soft_bits>>(
        m,
        "user_soft_bits",
        "Block: soft bits of a mimo_detector, float vectors of n_users * bits, in the order and\n"
        "sign of gr-fec's decoders: a stream of floats, for each block of n_symbols vectors\n"
        "[user][symbol][bit], positive for a one, magnitudes between 1e-4 and limit. Take sigma =\n"
        "sqrt(1/2) for fec.ldpc_decoder.\n\n"
        "Args:\n"
        "    n_users: users.\n"
        "    bits: per symbol.\n"
        "    n_symbols: vectors of a block.\n"
        "    limit: largest magnitude.")
        .def(py::init(&user_soft_bits::make),
             py::arg("n_users"),
             py::arg("bits"),
             py::arg("n_symbols"),
             py::arg("limit") = 20.0f);
}
