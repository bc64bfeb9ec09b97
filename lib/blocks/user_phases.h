/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_BLOCKS_USER_PHASES_H
#define INCLUDED_THZUM_BLOCKS_USER_PHASES_H

#include <gnuradio/gr_complex.h>
#include <gnuradio/tags.h>
#include <pmt/pmt.h>
#include <string>
#include <vector>

namespace gr {
namespace thzum {

/*!
 * \brief Phases by which users' symbols are turned against their channel, from tags of the data.
 *
 * The tag thzum_user_phase gives them as they are. The tag thzum_user_reference gives G = c H + W
 * with the users' phases between pilots and data: column k of H is turned by the angle of
 * sum_r conj(H[r,k]) G[r,k], where that stands out of the noise W.
 */
class user_phases
{
public:
    user_phases(int n_rx, int n_tx);

    /*! Whether a tag is one of them. */
    static bool is_one(const pmt::pmt_t& key);

    /*! Takes a tag over. \returns what was wrong with it; empty if nothing */
    std::string read(const tag_t& tag);

    void clear();
    bool is_set() const { return d_has_phase || d_has_reference; }

    /*!
     * \param channel H [n_rx][n_tx]
     * \param row_scale [n_rx] by which rows of H are scaled but not those of tags; empty: none
     * \param noise_var of a received sample
     * \param turned [n_rx][n_tx]
     */
    void turn(const gr_complex* channel,
              const std::vector<float>& row_scale,
              double noise_var,
              gr_complex* turned) const;

private:
    gr_complexd aligned(const gr_complex* channel,
                        const std::vector<float>& row_scale,
                        double noise_var,
                        int user) const;

    int d_n_rx;
    int d_n_tx;
    bool d_has_phase = false;
    bool d_has_reference = false;
    std::vector<double> d_phase;         // [n_tx]
    std::vector<gr_complex> d_reference; // [n_rx][n_tx]
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_BLOCKS_USER_PHASES_H */
