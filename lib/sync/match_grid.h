/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_SYNC_MATCH_GRID_H
#define INCLUDED_THZUM_SYNC_MATCH_GRID_H

#include <gnuradio/gr_complex.h>
#include <gnuradio/thzum/air_frame.h>
#include <gnuradio/thzum/api.h>
#include <vector>

namespace gr {
namespace thzum {

/*!
 * \brief The metric of preamble_match at neighbouring samples, for frequencies 1 / D apart.
 *
 * Such frequencies turn the repetitions of a segment alike, so these are added once for all; and
 * everything runs over the places, which lie side by side in memory.
 */
class THZUM_API match_grid
{
public:
    match_grid(air_frame::sptr frame, int n_places, size_t most_frequencies);

    int n_places() const { return d_n_places; }

    /*! Begins anew for these frequencies, in cycles per symbol. */
    void start(const std::vector<double>& frequencies);

    /*!
     * \brief Adds a segment of a chain.
     * \param samples behind the matched filter, from the first chip at the first place on
     * \param segment of the preamble
     */
    void add(const gr_complex* samples, int segment);

    struct peak {
        double metric;
        int place;
        size_t frequency;
    };

    /*! The largest metric; 0 where all was silent. */
    peak best() const;

private:
    void split(const gr_complex* samples);
    void add_energy();

    air_frame::sptr d_frame;
    int d_n_places;
    int d_step;
    std::vector<float> d_cover;       // [R] re, im
    std::vector<float> d_turns;       // [frequency][D] re, im
    std::vector<float> d_re, d_im;    // samples of the segment
    std::vector<float> d_weight;      // [place] 1 / energy, 0 for silence
    std::vector<float> d_folded;      // [2][place]
    std::vector<float> d_correlation; // [frequency][2][place]
    std::vector<float> d_metric;      // [frequency][place]
    std::vector<float> d_live;        // [place] segments that are not silent
    size_t d_n_frequencies = 0;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_SYNC_MATCH_GRID_H */
