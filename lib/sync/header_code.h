/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_SYNC_HEADER_CODE_H
#define INCLUDED_THZUM_SYNC_HEADER_CODE_H

#include <gnuradio/fec/generic_decoder.h>
#include <gnuradio/fec/generic_encoder.h>
#include <gnuradio/thzum/payload_code.h>
#include <vector>

namespace gr {
namespace thzum {

/*! The header's bits: checksum, convolutional code of gr-fec, sent twice. */
class THZUM_API header_code
{
public:
    static constexpr int coded_bits = 248;

    /*! \param modulation number of the constellation, 0 .. 15 */
    explicit header_code(int modulation);

    /*! \param bits [coded_bits] of 0 and 1 */
    void encode(const payload_header& header, uint8_t* bits);

    /*! \param llr [coded_bits] \returns false when the checksum or the modulation does not fit */
    bool decode(const float* llr, payload_header& header);

private:
    int d_modulation;
    gr::fec::generic_encoder::sptr d_encoder;
    gr::fec::generic_decoder::sptr d_decoder;
    std::vector<uint8_t> d_bits, d_coded;
};

/*! The 5 bytes of a header that the checksums cover. */
void pack_header(const payload_header& header, int modulation, uint8_t* bytes);

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_SYNC_HEADER_CODE_H */
