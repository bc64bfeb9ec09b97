/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_SYNC_PREAMBLE_MATCH_H
#define INCLUDED_THZUM_SYNC_PREAMBLE_MATCH_H

#include "sync/chain_buffer.h"
#include "sync/match_grid.h"
#include "sync/preamble_search.h"
#include "sync/pulse.h"
#include <gnuradio/thzum/air_frame.h>
#include <vector>

namespace gr {
namespace thzum {

/*! A preamble that was found. */
struct preamble_fix {
    double instant;     /*!< centre of the first chip, in samples of the stream */
    double frequency;   /*!< offset in cycles per symbol */
    double metric;      /*!< of preamble_match, 1 on average for noise */
    float first_metric; /*!< of preamble_search */
};

/*!
 * \brief Decides whether a candidate is a preamble, and where and with which frequency offset.
 *
 * Correlates with the known chips over whole segments, whose energies are added over segments and
 * chains because the combiners' gains are unknown:
 *
 *     metric = (1 / (S G)) sum_{s,g} |sum_i p_gi conj-turned r_s|^2 / (L P_sg),
 *
 * P_sg being the mean power of a chip's sample in that segment and L the chips of a segment. S G
 * metric is close to Gamma distributed with shape S G for noise, and L at most for a signal. All
 * frequencies that a candidate stands for (modulo 1 / D, up to max_frequency) and all places around
 * are tried; the best is then refined to fractions of a sample by correlating behind a matched
 * filter that knows the frequency.
 */
class THZUM_API preamble_match
{
public:
    /*! \param max_frequency largest frequency offset in cycles per symbol, 0 .. 0.45 */
    preamble_match(air_frame::sptr frame,
                   const pulse_bank& pulse,
                   int n_chains,
                   double max_frequency);

    double threshold() const { return d_threshold; }

    /*! Samples before a candidate, and behind its last chip, that run() reads. */
    int margin() const { return d_radius + d_pulse.reach() + 2; }

    /*!
     * \param samples unfiltered, of all chains
     * \param place where to look
     * \param fix the result if it is a preamble
     * \returns whether it is one
     */
    bool run(const chain_buffer<gr_complex>& samples,
             const preamble_search::candidate& place,
             preamble_fix& fix);

private:
    void load(const chain_buffer<gr_complex>& samples, int64_t first);
    void turn_back(double frequency);
    void filter(int fraction);
    const std::vector<double>& frequencies_like(double frequency);
    void turn_chips(double frequency);
    void measure_power(int place);
    double correlate(int place);
    double remaining_frequency() const;
    double segments_at(double instant);
    double refine_instant(double instant);

    air_frame::sptr d_frame;
    const pulse_bank& d_pulse;
    int d_n_chains;
    int d_step;   // samples from chip to chip
    int d_radius; // samples around the candidate
    double d_max_frequency;
    double d_threshold;
    int d_first;                                     // place of the candidate in the copies
    std::vector<int> d_starts;                       // [G] of the segments, in samples
    std::vector<std::vector<gr_complex>> d_samples;  // [S] as received, then turned back
    std::vector<std::vector<gr_complex>> d_filtered; // [S]
    std::vector<double> d_frequencies;               // that a candidate stands for
    match_grid d_grid;
    std::vector<gr_complex> d_turned; // [G][D] chips with an offset
    std::vector<float> d_power;       // [S][G] energy of the chips of a segment
    std::vector<gr_complex> d_parts;  // [S][G][R] part correlations
    std::vector<gr_complex> d_cover;  // [R] signs with the offset taken back
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_SYNC_PREAMBLE_MATCH_H */
