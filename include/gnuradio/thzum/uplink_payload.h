/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_UPLINK_PAYLOAD_H
#define INCLUDED_THZUM_UPLINK_PAYLOAD_H

#include <gnuradio/sync_block.h>
#include <gnuradio/thzum/api.h>
#include <gnuradio/thzum/payload_code.h>
#include <cstdint>

namespace gr {
namespace thzum {

/*!
 * \brief Soft bits of the users to the bytes that they sent.
 * \ingroup thzum
 *
 * Input: float vectors of K * bits, [user][bit], as a mimo_detector gives them; the first of a
 * frame carries the tag \p thzum_frame, and n_data follow each other. A frame cut short by the next
 * one is lost, its vectors are not used.
 *
 * Message port \p pdus: (dictionary . u8vector) for every good payload, with user, frame (the
 * number in the header, 0 .. 65535) and received_frame (that of the tag). Payloads of no bytes are
 * counted but not put out.
 *
 * Message port \p report: a dictionary per received frame with frame (of the tag), good and bad
 * (long, user masks: payloads good; header or payload bad), lost (s32vector, frames lost so far per
 * user) and soft_bit_scale (f64vector, per user: the factor by which soft bits were scaled for what
 * the header showed them to be worth, below 1 where noise is underestimated). A frame is lost to a
 * user when its number is missing between two good ones.
 */
class THZUM_API uplink_payload : virtual public gr::sync_block
{
public:
    using sptr = std::shared_ptr<uplink_payload>;

    /*!
     * \param n_users K
     * \param code of the payload, with the same parameters as at the transmitter. The block uses
     * it alone.
     * \throws std::invalid_argument naming the argument
     */
    static sptr make(int n_users, payload_code::sptr code);

    /*! Payloads of \p user that were good, those without bytes included. */
    virtual uint64_t received(int user) const = 0;

    /*! Frames whose number is missing between good ones of \p user. */
    virtual uint64_t lost(int user) const = 0;

    /*! Headers, and payloads behind good headers, of \p user whose checksum was wrong. */
    virtual uint64_t bad_headers(int user) const = 0;
    virtual uint64_t bad_payloads(int user) const = 0;

    /*! Frames whose vectors did not all come. */
    virtual uint64_t cut_short() const = 0;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_UPLINK_PAYLOAD_H */
