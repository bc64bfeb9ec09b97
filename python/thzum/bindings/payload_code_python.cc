/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/* BINDTOOL_GEN_AUTOMATIC(0)                                              */
/* BINDTOOL_USE_PYGCCXML(0)                                               */
/* BINDTOOL_HEADER_FILE(payload_code.h) */
/* BINDTOOL_HEADER_FILE_HASH(8a6c177677ee7181803c115dcd32b67c) */

#include "arrays.h"
#include <gnuradio/thzum/payload_code.h>

namespace py = pybind11;

namespace {

using gr::thzum::payload_code;
using gr::thzum::payload_header;

py::array_t<gr_complex> encode(payload_code& code, const py::bytes& payload, int user, int frame)
{
    const std::string bytes = payload;
    py::array_t<gr_complex> symbols(code.n_data());
    code.encode({ frame, user, int(bytes.size()) },
                reinterpret_cast<const uint8_t*>(bytes.data()),
                symbols.mutable_data());
    return symbols;
}

py::tuple decode(payload_code& code, const py::object& llr, int user)
{
    const auto values =
        gr::thzum::single_array_in<float>(llr, "llr", { code.n_data(), code.bits_per_symbol() });
    payload_header header{};
    std::string bytes(size_t(code.max_bytes()), '\0');
    const auto outcome =
        code.decode(user, values.data(), header, reinterpret_cast<uint8_t*>(bytes.data()));
    if (outcome == payload_code::outcome::good)
        return py::make_tuple(
            "good", header.frame, py::bytes(bytes.substr(0, size_t(header.length))));
    if (outcome == payload_code::outcome::bad_payload)
        return py::make_tuple("bad_payload", header.frame, py::none());
    const bool is_absent = outcome == payload_code::outcome::absent;
    return py::make_tuple(is_absent ? "absent" : "bad_header", py::none(), py::none());
}

} // namespace

void bind_payload_code(py::module& m)
{
    py::class_<payload_code, std::shared_ptr<payload_code>>(
        m,
        "payload_code",
        R"(Bytes of one user and frame to data symbols, and soft bits back to bytes: header, CRC and LDPC.

One block at a time may use an object.

Args:
    n_data: data symbols of a user in a frame.
    modulation: name of the constellation.
    alist: file of the LDPC code, see gnuradio.thzum.frame.ldpc_file().
    max_iterations: of the LDPC decoder.

Raises:
    ValueError: naming the argument, what was expected and what came.)")
        .def(py::init(&payload_code::make),
             py::arg("n_data"),
             py::arg("modulation"),
             py::arg("alist"),
             py::arg("max_iterations") = 50)
        .def("encode",
             &encode,
             py::arg("payload"),
             py::arg("user") = 0,
             py::arg("frame") = 0,
             "Symbols complex64 [n_data] of a payload of max_bytes at most.")
        .def("decode",
             &decode,
             py::arg("llr"),
             py::arg("user") = 0,
             "(outcome, frame, payload) of soft bits float32 [n_data, bits]; the outcome is good, "
             "bad_payload, bad_header or absent.")
        .def_property_readonly("n_data", &payload_code::n_data)
        .def_property_readonly("modulation", &payload_code::modulation)
        .def_property_readonly("bits_per_symbol", &payload_code::bits_per_symbol)
        .def_property_readonly(
            "n_codewords", &payload_code::n_codewords, "LDPC codewords of a frame.")
        .def_property_readonly("codeword_bits", &payload_code::codeword_bits)
        .def_property_readonly("information_bits", &payload_code::information_bits)
        .def_property_readonly("soft_bit_scale",
                               &payload_code::soft_bit_scale,
                               "Factor by which the last decode() scaled the soft bits behind the "
                               "header: below 1 where they promised more than they kept.")
        .def_property_readonly(
            "max_bytes", &payload_code::max_bytes, "Bytes that a frame carries at most.")
        .def("__repr__", [](const payload_code& code) {
            return "payload_code(n_data=" + std::to_string(code.n_data()) + ", " +
                   code.modulation() + ", " + std::to_string(code.n_codewords()) +
                   " codewords of " + std::to_string(code.codeword_bits()) + " bits, at most " +
                   std::to_string(code.max_bytes()) + " bytes)";
        });
}
