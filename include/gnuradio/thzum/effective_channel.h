/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_EFFECTIVE_CHANNEL_H
#define INCLUDED_THZUM_EFFECTIVE_CHANNEL_H

#include <gnuradio/sync_decimator.h>
#include <gnuradio/thzum/api.h>
#include <string>
#include <vector>

namespace gr {
namespace thzum {

/*!
 * \brief Channel behind the data combiner: H_eff[s][k] = c_s . h_k[s].
 * \ingroup thzum
 *
 * In: h_hat, gr_complex vectors of n_subarrays * n_antennas, [subarray][antenna]; n_users
 * consecutive items make a frame. Out 0: one gr_complex vector of n_subarrays * n_users per frame,
 * row-major [subarray][user]. Out 1 (may stay unconnected): the combiner, one gr_complex vector of
 * n_subarrays * n_antennas per frame, rows c_s.
 *
 * No conjugation: a row is what the phase shifters do. Which rows, \p combiner says:
 * - "codebook": c_s is row \p beams[s] of the codebook, or of the tag thzum_beams (u8vector or
 *   s32vector of n_subarrays indices) on the first item of a frame, for that frame;
 * - "dft": the code book row chosen for each subarray from the frame's estimates;
 * - "matched": the matched filter of one of the users, h_k[s]^* / ||h_k[s]||;
 * - "svd": any row of unit norm, the dominant left singular vector of the subarray's channels.
 * In the last three the subarrays choose in turn, each the row that adds most to the sum rate
 * log2 det(I + H^H H / noise_var); for "svd" the singular vector is that of the channels weighted
 * with what the rows before leave uncertain. The hardware must combine the data by the same rows:
 * they are output 1, tag thzum_beams on output 0 (s32vector, "dft" only) and the message.
 *
 * Tags out: of the frame's first item thzum_frame and those of other modules; thzum_noise_var
 * (double) is the mean of the users' values times \p noise_scale. Pilots despread over P chips
 * carry 1/P of the noise of a data sample, hence the default noise_scale of n_users.
 *
 * Noise is white between subarrays, which share no antenna, but a row of another norm than one
 * scales it: the tag thzum_noise_scale (f32vector, ||c_s||^2 of each subarray) then says so, and
 * mimo_detector divides by it.
 *
 * A user whose item is tagged thzum_skipped or holds NaN or Inf gets a zero column, as an absent
 * user does. A frame with no user left, or with a bad thzum_beams tag, is all-zero with the tag
 * thzum_skipped (symbol: the first user's reason, nan, or beams).
 *
 * Message out, port `combiner`, for each frame whose rows were chosen from estimates: frame (if
 * tagged), combiner (symbol), beams (s32vector, "dft" only), rows (c32vector, [subarray][antenna]).
 */
class THZUM_API effective_channel : virtual public gr::sync_decimator
{
public:
    using sptr = std::shared_ptr<effective_channel>;

    /*!
     * \param n_subarrays subarrays (RF chains)
     * \param n_antennas antennas of one subarray
     * \param n_users items per frame
     * \param codebook [n_beams][n_antennas] rows, none of them zero, flat row-major
     * \param beams [n_subarrays] codebook rows used without a tag; empty = row 0 everywhere
     * \param noise_scale data noise variance behind a row of unit norm / reported noise variance;
     * 0 = n_users
     * \param combiner "codebook", "dft", "matched" or "svd"
     * \throws std::invalid_argument for sizes, rows or indices out of range
     */
    static sptr make(int n_subarrays,
                     int n_antennas,
                     int n_users,
                     const std::vector<gr_complex>& codebook,
                     const std::vector<int>& beams = {},
                     double noise_scale = 0.0,
                     const std::string& combiner = "codebook");

    /*! \param beams [n_subarrays] codebook rows from the next frame on; empty = row 0 everywhere
     * \throws std::invalid_argument for a wrong count or an index out of range */
    virtual void set_beams(const std::vector<int>& beams) = 0;

    virtual std::vector<int> beams() const = 0;

    /*! \param combiner how rows are chosen from the next frame on
     * \throws std::invalid_argument for an unknown name */
    virtual void set_combiner(const std::string& combiner) = 0;

    virtual std::string combiner() const = 0;

    /*! Rows of the codebook. */
    virtual int n_beams() const = 0;

    /*! Frames so far. */
    virtual uint64_t frames() const = 0;

    /*! Users so far whose column was set to zero. */
    virtual uint64_t skipped_users() const = 0;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_EFFECTIVE_CHANNEL_H */
