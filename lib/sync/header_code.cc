/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "sync/checksum.h"
#include "sync/header_code.h"
#include <gnuradio/fec/cc_decoder.h>
#include <gnuradio/fec/cc_encoder.h>
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {

namespace {

constexpr int header_bytes = 5;
constexpr int information_bits = 8 * (header_bytes + 2);
constexpr int constraint_length = 7;
constexpr int code_bits = 2 * (information_bits + constraint_length - 1);
static_assert(2 * code_bits == header_code::coded_bits, "sent twice");

// 171 and 133 octal, as gr-fec counts taps.
const std::vector<int> polynomials = { 79, 109 };

} // namespace

void pack_header(const payload_header& header, int modulation, uint8_t* bytes)
{
    const uint64_t word = uint64_t(modulation & 0xf) << 36 | uint64_t(header.user & 0xff) << 28 |
                          uint64_t(header.length & 0xfff) << 16 | uint64_t(header.frame & 0xffff);
    for (int i = 0; i < header_bytes; i++)
        bytes[i] = uint8_t(word >> (8 * (header_bytes - 1 - i)));
}

header_code::header_code(int modulation)
    : d_modulation(modulation),
      d_encoder(gr::fec::code::cc_encoder::make(
          information_bits, constraint_length, 2, polynomials, 0, CC_TERMINATED)),
      d_decoder(gr::fec::code::cc_decoder::make(
          information_bits, constraint_length, 2, polynomials, 0, 0, CC_TERMINATED)),
      d_bits(information_bits + constraint_length),
      d_coded(code_bits + 16)
{
}

void header_code::encode(const payload_header& header, uint8_t* bits)
{
    uint8_t bytes[header_bytes + 2];
    pack_header(header, d_modulation, bytes);
    const uint16_t crc = crc16(bytes, header_bytes);
    bytes[header_bytes] = uint8_t(crc >> 8);
    bytes[header_bytes + 1] = uint8_t(crc);
    for (int i = 0; i < information_bits; i++)
        d_bits[i] = (bytes[i / 8] >> (7 - i % 8)) & 1;
    d_encoder->generic_work(d_bits.data(), d_coded.data());
    std::copy_n(d_coded.begin(), code_bits, bits);
    std::copy_n(d_coded.begin(), code_bits, bits + code_bits);
}

bool header_code::decode(const float* llr, payload_header& header)
{
    float mean = 0.0f;
    for (int i = 0; i < code_bits; i++)
        mean += std::abs(llr[i] + llr[i + code_bits]) / code_bits;
    // Soft bits of gr-fec: a byte that is small for a zero.
    for (int i = 0; i < code_bits; i++) {
        const float soft = 128.0f - 40.0f * (llr[i] + llr[i + code_bits]) / std::max(mean, 1e-9f);
        d_coded[i] = uint8_t(std::clamp(soft, 0.0f, 255.0f));
    }
    d_decoder->generic_work(d_coded.data(), d_bits.data());
    uint8_t bytes[header_bytes + 2] = {};
    for (int i = 0; i < information_bits; i++)
        bytes[i / 8] |= uint8_t((d_bits[i] & 1) << (7 - i % 8));
    if (crc16(bytes, header_bytes) != (bytes[header_bytes] << 8 | bytes[header_bytes + 1]))
        return false;
    uint64_t word = 0;
    for (int i = 0; i < header_bytes; i++)
        word = word << 8 | bytes[i];
    header.frame = int(word & 0xffff);
    header.length = int(word >> 16 & 0xfff);
    header.user = int(word >> 28 & 0xff);
    return int(word >> 36) == d_modulation;
}

} // namespace thzum
} // namespace gr
