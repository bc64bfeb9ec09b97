/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_PAYLOAD_CODE_H
#define INCLUDED_THZUM_PAYLOAD_CODE_H

#include <gnuradio/gr_complex.h>
#include <gnuradio/thzum/api.h>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace gr {
namespace thzum {

/*! What a user's data symbols of a frame begin with. */
struct payload_header {
    int frame;  /*!< frame number modulo 65536 */
    int user;   /*!< 0 .. 255 */
    int length; /*!< bytes of the payload, 0 .. 4095 */
};

/*!
 * \brief Bytes of one user and frame to data symbols, and soft bits back to bytes.
 *
 * The bits of a frame are the header, LDPC codewords and fill; all are scrambled, so that symbols
 * are random whatever the bytes, and mapped to the constellation one after the other.
 *
 * Header: modulation (4 bits), user (8), length (12), frame (16), CRC-16 of these, six zeros; coded
 * by the convolutional code (133, 171) of constraint length 7, and sent twice, 248 bits in all.
 * Payload: the bytes, CRC-32 of header and bytes, zeros; k bits to a codeword of n. Its soft bits
 * are scaled by what the header, once decoded, shows them to be worth.
 */
class THZUM_API payload_code
{
public:
    using sptr = std::shared_ptr<payload_code>;

    enum class outcome {
        absent,      /*!< no soft bits at all */
        bad_header,  /*!< the header's checksum is wrong, or it is of another modulation */
        bad_payload, /*!< the payload's checksum is wrong */
        good
    };

    /*!
     * \param n_data data symbols of a user in a frame
     * \param modulation one of constellation_names()
     * \param alist file of the LDPC code's parity check matrix, as gr-fec takes it
     * \param max_iterations of the LDPC decoder
     * \throws std::invalid_argument when the file cannot be read, or a frame has no room for a
     * header and one codeword
     */
    static sptr make(int n_data,
                     const std::string& modulation,
                     const std::string& alist,
                     int max_iterations = 50);

    virtual ~payload_code();

    virtual int n_data() const = 0;
    virtual const std::string& modulation() const = 0;
    virtual int bits_per_symbol() const = 0;

    /*! LDPC codewords of a frame, and their bits and information bits. */
    virtual int n_codewords() const = 0;
    virtual int codeword_bits() const = 0;
    virtual int information_bits() const = 0;

    /*! Bytes that a frame carries at most. */
    virtual int max_bytes() const = 0;

    /*!
     * \param header its length is the number of bytes, max_bytes() at most
     * \param symbols [n_data]
     */
    virtual void
    encode(const payload_header& header, const uint8_t* bytes, gr_complex* symbols) = 0;

    /*!
     * \param llr [n_data][bits_per_symbol], log P(bit=0)/P(bit=1)
     * \param header what was found, unless the outcome is absent or bad_header
     * \param bytes [max_bytes()], header.length of them are set when the outcome is good
     */
    virtual outcome decode(int user, const float* llr, payload_header& header, uint8_t* bytes) = 0;

    /*!
     * Factor by which the last decode() scaled the soft bits behind the header: below 1 where they
     * promised more than they kept, by an unknown oscillator, say; 1 without a header.
     */
    virtual double soft_bit_scale() const = 0;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_PAYLOAD_CODE_H */
