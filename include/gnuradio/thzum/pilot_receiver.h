/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_PILOT_RECEIVER_H
#define INCLUDED_THZUM_PILOT_RECEIVER_H

#include <gnuradio/block.h>
#include <gnuradio/thzum/api.h>
#include <cstdint>

namespace gr {
namespace thzum {

/*!
 * \brief From the samples of all RF chains to pilot observations and data vectors.
 * \ingroup thzum
 *
 * Inputs: S streams of complex samples, one sample per symbol. A tag \p thzum_frame (long, the
 * frame number) on the first input marks the first sample of a frame; samples outside frames are
 * dropped. At the same sample, \p thzum_users (long, bit k set when user k is scheduled; users
 * above bit 62 always are) and \p thzum_beams (s32vector) may stand.
 *
 * Frame on every chain: n_noise silent samples, Q slots of P chips, n_data data symbols.
 *
 * Outputs: \p y, vectors of M = S*Q, exactly K per frame in user order; \p data, vectors of S,
 * exactly n_data per frame (may stay unconnected). Tags on every item of y: \p thzum_frame, \p
 * thzum_user, \p thzum_noise_var (variance of one observation: that of a sample divided by P). On
 * the first item of data: \p thzum_frame and \p thzum_noise_var (variance of one sample). The first
 * item of either carries \p thzum_beams and \p thzum_users on, the first one of data \p
 * thzum_user_reference, and any of data the \p thzum_user_phase of its sample.
 *
 * An unscheduled user's item is zero and tagged \p thzum_skipped = "unscheduled". A frame cut short
 * by the next one, or with NaN or Inf in its noise or pilot section, gives zero items tagged \p
 * thzum_skipped = "cut short" or "bad samples", without \p thzum_noise_var; so does a data symbol
 * that is not finite. A frame the stream ends in gives nothing and counts as lost.
 *
 * Message port \p report: a dictionary per frame with frame (long), users (long, the bit mask in
 * force) and noise_var, power_db (double; variance of an observation, mean power of a pilot
 * sample), or skipped (symbol) instead of the last two.
 */
class THZUM_API pilot_receiver : virtual public gr::block
{
public:
    using sptr = std::shared_ptr<pilot_receiver>;

    /*!
     * \param n_chains S, RF chains (inputs)
     * \param n_noise silent samples in front of the pilots
     * \param n_slots Q, pilot slots
     * \param n_users K, users
     * \param n_data data symbols per frame
     * \param sequences [K][P] orthogonal chip sequences of the users, |chip| = 1, P >= K; empty
     * stands for the rows of a K-point DFT \param row_energy mean ||c||^2 of the combiner rows;
     * measured noise is divided by it, so that noise variances are those of an antenna; 1 for
     * unit-norm rows \throws std::invalid_argument naming the argument, what was expected and what
     * came
     */
    static sptr make(int n_chains,
                     int n_noise,
                     int n_slots,
                     int n_users,
                     int n_data,
                     const std::vector<gr_complex>& sequences = {},
                     double row_energy = 1.0);

    /*! Frames put out, the lost ones included. */
    virtual uint64_t frames() const = 0;

    /*! Frames cut short, with bad samples, or unfinished when the stream stopped. */
    virtual uint64_t lost_frames() const = 0;

    /*! Items put out as zeros on either output, unscheduled users included. */
    virtual uint64_t skipped_items() const = 0;

    /*! Samples of a frame on each chain. */
    virtual int frame_length() const = 0;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_PILOT_RECEIVER_H */
