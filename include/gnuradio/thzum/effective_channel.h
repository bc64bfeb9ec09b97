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
#include <vector>

namespace gr {
namespace thzum {

/*!
 * \brief Channel behind the data combiner: H_eff[s][k] = c_s . h_k[s].
 * \ingroup thzum
 *
 * In: h_hat, gr_complex vectors of n_subarrays * n_antennas, [subarray][antenna]; n_users
 * consecutive items make a frame. Out: one gr_complex vector of n_subarrays * n_users per frame,
 * row-major [subarray][user].
 *
 * c_s is row \p beams[s] of the codebook (no conjugation: a row is what the phase shifters do), or
 * of the tag thzum_beams (u8vector or s32vector of n_subarrays indices) on the first item of a
 * frame, for that frame.
 *
 * Tags out: of the frame's first item thzum_frame and those of other modules; thzum_noise_var
 * (double) is the mean of the users' values times \p noise_scale. Pilots despread over P chips
 * carry 1/P of the noise of a data sample, hence the default noise_scale of n_users.
 *
 * A user whose item is tagged thzum_skipped or holds NaN or Inf gets a zero column, as an absent
 * user does. A frame with no user left, or with a bad thzum_beams tag, is all-zero with the tag
 * thzum_skipped (symbol: the first user's reason, nan, or beams).
 */
class THZUM_API effective_channel : virtual public gr::sync_decimator
{
public:
    using sptr = std::shared_ptr<effective_channel>;

    /*!
     * \param n_subarrays subarrays (RF chains)
     * \param n_antennas antennas of one subarray
     * \param n_users items per frame
     * \param codebook [n_beams][n_antennas] rows of unit norm, flat row-major
     * \param beams [n_subarrays] codebook rows used without a tag; empty = row 0 everywhere
     * \param noise_scale data noise variance / reported noise variance; 0 = n_users
     * \throws std::invalid_argument for sizes, rows or indices out of range
     */
    static sptr make(int n_subarrays,
                     int n_antennas,
                     int n_users,
                     const std::vector<gr_complex>& codebook,
                     const std::vector<int>& beams = {},
                     double noise_scale = 0.0);

    /*! \param beams [n_subarrays] codebook rows from the next frame on; empty = row 0 everywhere
     * \throws std::invalid_argument for a wrong count or an index out of range */
    virtual void set_beams(const std::vector<int>& beams) = 0;

    virtual std::vector<int> beams() const = 0;

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
