/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "sync/checksum.h"
#include "sync/payload_code_impl.h"
#include "sync/soft_bit_scale.h"
#include <gnuradio/fec/ldpc_decoder.h>
#include <gnuradio/fec/ldpc_encoder.h>
#include <gnuradio/thzum/detector.h>
#include <algorithm>
#include <cmath>
#include <fstream>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

constexpr int crc_bytes = 4;
constexpr int largest_length = 4095; // what the header's 12 bits hold

// gr-fec up to GNU Radio 3.10.11 takes received values and a noise deviation sigma, and forms
// x / (2 sigma^2) of them: with this sigma the values are the soft bits themselves, which is what
// it takes from 3.10.12 on.
const float unit_llr_sigma = std::sqrt(0.5f);

template <typename Decoder>
auto make_decoder(const std::string& alist, int max_iterations, int)
    -> decltype(Decoder::make(alist, unit_llr_sigma, max_iterations))
{
    return Decoder::make(alist, unit_llr_sigma, max_iterations);
}

template <typename Decoder>
gr::fec::generic_decoder::sptr make_decoder(const std::string& alist, int max_iterations, long)
{
    return Decoder::make(alist, max_iterations);
}

// It takes exponentials of them and quotients of what is near one: larger values would not stay
// exact.
constexpr float largest_llr = 20.0f;
constexpr float least_llr = 1e-3f;

// Before they are scaled: a single one does not outweigh a header.
constexpr float largest_soft_bit = 1e3f;

const std::string& checked_file(const std::string& alist)
{
    if (!std::ifstream(alist).good())
        throw std::invalid_argument("alist: cannot read the file '" + alist +
                                    "'; expected a parity check matrix in alist format, such as "
                                    "those that GNU Radio installs in share/gnuradio/fec/ldpc");
    return alist;
}

int constellation_number(const std::string& name)
{
    constellation_points(name); // refuses unknown names
    const auto names = constellation_names();
    return int(std::find(names.begin(), names.end(), name) - names.begin());
}

int log2_of(size_t points)
{
    int bits = 0;
    while ((size_t(1) << bits) < points)
        bits++;
    return bits;
}

} // namespace

payload_code::sptr payload_code::make(int n_data,
                                      const std::string& modulation,
                                      const std::string& alist,
                                      int max_iterations)
{
    if (max_iterations < 1)
        throw std::invalid_argument("max_iterations: expected at least 1, got " +
                                    std::to_string(max_iterations));
    return std::make_shared<payload_code_impl>(n_data, modulation, alist, max_iterations);
}

payload_code::~payload_code() = default;

payload_code_impl::payload_code_impl(int n_data,
                                     const std::string& modulation,
                                     const std::string& alist,
                                     int max_iterations)
    : d_n_data(n_data),
      d_modulation(modulation),
      d_points(constellation_points(modulation)),
      d_bits_per_symbol(log2_of(d_points.size())),
      d_modulation_number(constellation_number(modulation)),
      d_header(d_modulation_number),
      d_encoder(gr::fec::ldpc_encoder::make(checked_file(alist))),
      d_decoder(make_decoder<gr::fec::ldpc_decoder>(alist, max_iterations, 0)),
      d_codeword_bits(d_encoder->get_output_size()),
      d_information_bits(d_encoder->get_input_size())
{
    const int room = total_bits() - header_code::coded_bits;
    if (n_data < 1 || room < d_codeword_bits)
        throw std::invalid_argument(
            "n_data: expected room for a header of " + std::to_string(header_code::coded_bits) +
            " bits and a codeword of " + std::to_string(d_codeword_bits) + ", got " +
            std::to_string(n_data) + " symbols of " + std::to_string(d_bits_per_symbol) + " bits");
    d_n_codewords = room / d_codeword_bits;
    d_max_bytes = std::min(d_n_codewords * d_information_bits / 8 - crc_bytes, int(largest_length));
    if (d_max_bytes < 1)
        throw std::invalid_argument("alist: expected a code with room for a checksum and a byte");
    d_information.resize(size_t(d_n_codewords) * d_information_bits);
    d_bits.resize(total_bits());
    d_scrambler.resize(total_bits());
    d_llr.resize(total_bits());
}

// x^15 + x^14 + 1, from a start of the user's own.
void payload_code_impl::scramble_sequence(int user)
{
    unsigned state = 0x4a80u ^ unsigned(user + 1);
    for (auto& bit : d_scrambler) {
        bit = (state ^ (state >> 1)) & 1;
        state = (state >> 1) | (unsigned(bit) << 14);
    }
}

void payload_code_impl::pack_payload(const payload_header& header, const uint8_t* bytes)
{
    uint8_t head[5];
    pack_header(header, d_modulation_number, head);
    const uint32_t crc = crc32(bytes, header.length, crc32(head, sizeof(head)));
    std::fill(d_information.begin(), d_information.end(), uint8_t(0));
    for (int i = 0; i < header.length + crc_bytes; i++) {
        const int tail = i - header.length;
        const uint8_t byte = tail < 0 ? bytes[i] : uint8_t(crc >> (24 - 8 * tail));
        for (int b = 0; b < 8; b++)
            d_information[8 * i + b] = (byte >> (7 - b)) & 1;
    }
}

void payload_code_impl::encode(const payload_header& header,
                               const uint8_t* bytes,
                               gr_complex* symbols)
{
    if (header.length < 0 || header.length > d_max_bytes)
        throw std::invalid_argument("length: expected 0 to " + std::to_string(d_max_bytes) +
                                    " bytes, got " + std::to_string(header.length));
    std::fill(d_bits.begin(), d_bits.end(), uint8_t(0));
    d_header.encode(header, d_bits.data());
    pack_payload(header, bytes);
    for (int c = 0; c < d_n_codewords; c++)
        d_encoder->generic_work(&d_information[size_t(c) * d_information_bits],
                                &d_bits[header_code::coded_bits + size_t(c) * d_codeword_bits]);
    scramble_sequence(header.user);
    for (int i = 0; i < d_n_data; i++) {
        unsigned index = 0;
        for (int b = 0; b < d_bits_per_symbol; b++) {
            const size_t at = size_t(i) * d_bits_per_symbol + b;
            index = index << 1 | (d_bits[at] ^ d_scrambler[at]);
        }
        symbols[i] = d_points[index];
    }
}

bool payload_code_impl::unpack_payload(const payload_header& header, uint8_t* bytes) const
{
    uint32_t sent = 0;
    for (int i = 0; i < header.length + crc_bytes; i++) {
        unsigned byte = 0;
        for (int b = 0; b < 8; b++)
            byte = byte << 1 | (d_information[8 * i + b] & 1);
        if (i < header.length)
            bytes[i] = uint8_t(byte);
        else
            sent = sent << 8 | byte;
    }
    uint8_t head[5];
    pack_header(header, d_modulation_number, head);
    return crc32(bytes, header.length, crc32(head, sizeof(head))) == sent;
}

// The header, once its checksum is right, shows how far the soft bits of the frame can be trusted.
void payload_code_impl::scale_soft_bits(const payload_header& header)
{
    d_header.encode(header, d_bits.data());
    for (int i = 0; i < header_code::coded_bits; i++)
        d_llr[i] = d_bits[i] ? -d_llr[i] : d_llr[i];
    d_scale = gr::thzum::soft_bit_scale(d_llr.data(), header_code::coded_bits);
    // gr-fec takes a positive value for a one, and divides by what a zero becomes.
    for (int i = header_code::coded_bits; i < total_bits(); i++) {
        const float scaled = std::clamp(-float(d_scale) * d_llr[i], -largest_llr, largest_llr);
        d_llr[i] = std::abs(scaled) < least_llr ? least_llr : scaled;
    }
}

payload_code::outcome
payload_code_impl::decode(int user, const float* llr, payload_header& header, uint8_t* bytes)
{
    d_scale = 1.0;
    if (std::none_of(llr, llr + total_bits(), [](float value) { return value != 0.0f; }))
        return outcome::absent;
    scramble_sequence(user);
    for (int i = 0; i < total_bits(); i++) {
        const float value = std::isfinite(llr[i]) ? llr[i] : 0.0f;
        d_llr[i] = std::clamp(d_scrambler[i] ? -value : value, -largest_soft_bit, largest_soft_bit);
    }
    if (!d_header.decode(d_llr.data(), header) || header.user != (user & 0xff) ||
        header.length > d_max_bytes)
        return outcome::bad_header;
    scale_soft_bits(header);
    for (int c = 0; c < d_n_codewords; c++)
        d_decoder->generic_work(&d_llr[header_code::coded_bits + size_t(c) * d_codeword_bits],
                                &d_information[size_t(c) * d_information_bits]);
    return unpack_payload(header, bytes) ? outcome::good : outcome::bad_payload;
}

} // namespace thzum
} // namespace gr
