/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_SYNC_PAYLOAD_CODE_IMPL_H
#define INCLUDED_THZUM_SYNC_PAYLOAD_CODE_IMPL_H

#include "sync/header_code.h"
#include <gnuradio/thzum/payload_code.h>

namespace gr {
namespace thzum {

class payload_code_impl : public payload_code
{
public:
    payload_code_impl(int n_data,
                      const std::string& modulation,
                      const std::string& alist,
                      int max_iterations);

    int n_data() const override { return d_n_data; }
    const std::string& modulation() const override { return d_modulation; }
    int bits_per_symbol() const override { return d_bits_per_symbol; }
    int n_codewords() const override { return d_n_codewords; }
    int codeword_bits() const override { return d_codeword_bits; }
    int information_bits() const override { return d_information_bits; }
    int max_bytes() const override { return d_max_bytes; }
    void encode(const payload_header& header, const uint8_t* bytes, gr_complex* symbols) override;
    outcome decode(int user, const float* llr, payload_header& header, uint8_t* bytes) override;
    double soft_bit_scale() const override { return d_scale; }

private:
    int total_bits() const { return d_n_data * d_bits_per_symbol; }
    void scramble_sequence(int user);
    void pack_payload(const payload_header& header, const uint8_t* bytes);
    void scale_soft_bits(const payload_header& header);
    bool unpack_payload(const payload_header& header, uint8_t* bytes) const;

    int d_n_data;
    std::string d_modulation;
    std::vector<gr_complex> d_points;
    int d_bits_per_symbol;
    int d_modulation_number;
    header_code d_header;
    gr::fec::generic_encoder::sptr d_encoder;
    gr::fec::generic_decoder::sptr d_decoder;
    int d_codeword_bits;
    int d_information_bits;
    int d_n_codewords;
    int d_max_bytes;
    double d_scale = 1.0;
    std::vector<uint8_t> d_information; // [n_codewords][k] of 0 and 1
    std::vector<uint8_t> d_bits;        // [total_bits]
    std::vector<uint8_t> d_scrambler;   // [total_bits]
    std::vector<float> d_llr;           // [total_bits]
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_SYNC_PAYLOAD_CODE_IMPL_H */
