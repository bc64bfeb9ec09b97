/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_UPLINK_FRAME_SOURCE_H
#define INCLUDED_THZUM_UPLINK_FRAME_SOURCE_H

#include <gnuradio/block.h>
#include <gnuradio/thzum/air_frame.h>
#include <gnuradio/thzum/api.h>
#include <gnuradio/thzum/payload_code.h>
#include <cstdint>

namespace gr {
namespace thzum {

/*!
 * \brief Users' bytes to the samples that they send: frames without pause.
 * \ingroup thzum
 *
 * Bytes come on message port \p pdus, as (dictionary . u8vector) with the entry \p user (long, 0
 * where it is missing), or by streams, one input per user or none at all. What is longer than a
 * frame's payload goes out in several frames. With streams a frame begins when every user has
 * bytes for a whole payload or his stream has ended, and the last frame ends the outputs. Without
 * streams frames follow each other, with a payload of no bytes from users who have nothing to
 * send.
 *
 * Outputs: K streams of complex samples, air_frame::n_samples() a frame, a symbol's energy being 1.
 * Tags on the first sample of a frame, on every output: \p thzum_frame (long), \p thzum_users
 * (long, bit k set when user k sends).
 *
 * Message port \p report: a dictionary per frame with frame (long), users (long) and bytes
 * (s32vector, one per user).
 */
class THZUM_API uplink_frame_source : virtual public gr::block
{
public:
    using sptr = std::shared_ptr<uplink_frame_source>;

    /*!
     * \param frame what is sent when
     * \param code of the payload; its n_data must be the frame's. The block uses it alone.
     * \param users bit k set when user k sends; the others are silent
     * \param n_frames frames after which the outputs end; 0 goes on
     * \throws std::invalid_argument for another n_data, or users that the frame does not have
     */
    static sptr
    make(air_frame::sptr frame, payload_code::sptr code, int64_t users = -1, uint64_t n_frames = 0);

    /*! Frames begun so far. */
    virtual uint64_t frames() const = 0;

    /*! Messages that were dropped, malformed or for a user who does not send. */
    virtual uint64_t dropped() const = 0;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_UPLINK_FRAME_SOURCE_H */
