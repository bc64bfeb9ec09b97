/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_SYNC_PREAMBLE_SEARCH_H
#define INCLUDED_THZUM_SYNC_PREAMBLE_SEARCH_H

#include "sync/chain_buffer.h"
#include "sync/pulse.h"
#include <gnuradio/thzum/air_frame.h>
#include <algorithm>
#include <vector>

namespace gr {
namespace thzum {

/*!
 * \brief Finds where a preamble may be: delay and correlate, all RF chains together.
 *
 * With r_s the samples of chain s behind the matched filter, c_j the signs of the repetitions,
 *
 *     C_s(n) = sum_{g, j, i} c_j c_{j+1} r_s(n_gji + D) conj(r_s(n_gji)),
 *     metric(n) = | (1/S) sum_s C_s(n) / P_s(n) |,
 *
 * P_s being the power in the preamble's place, so that the gains of the chains do not matter; a
 * silent chain is left out. A frequency offset of f cycles per symbol turns C by 2 pi f D, the same
 * for all combiners and chains, which is why they add up without being known. For noise, the
 * squared metric is exponential with mean noise_level(), which gives the threshold.
 */
class THZUM_API preamble_search
{
public:
    /*! A place where the metric has a peak above the threshold. */
    struct candidate {
        int64_t sample;  /*!< of the first chip's centre */
        float frequency; /*!< cycles per symbol, modulo 1 / part_length */
        float metric;
    };

    /*!
     * \param n_chains S
     * \param false_alarm probability of exceeding the threshold at a place with noise alone
     */
    preamble_search(air_frame::sptr frame,
                    const pulse_bank& pulse,
                    int n_chains,
                    double false_alarm);

    /*! Mean of the squared metric for white noise. */
    double noise_level() const { return d_noise_level; }

    float threshold() const { return d_threshold; }

    /*!
     * \brief Looks at the places that have become known.
     * \param samples unfiltered, of all chains; those before sample_needed() may be dropped
     * \param found candidates are appended
     */
    void run(const chain_buffer<gr_complex>& samples, std::vector<candidate>& found);

    /*! First sample that the next run() reads. */
    int64_t sample_needed() const { return d_filtered.end() - d_pulse.reach(); }

    /*! Places before this one are decided. */
    int64_t first_place() const { return d_has_peak ? std::min(d_peak.sample, d_next) : d_next; }

    /*! Starts over at sample \p first of the stream. */
    void restart(int64_t first);

private:
    static constexpr int chunk = 4096;

    void filter(const chain_buffer<gr_complex>& samples, int count);
    void correlate();
    void correlate_chain(int chain, int64_t from, int count);
    void find_peaks(std::vector<candidate>& found);

    air_frame::sptr d_frame;
    const pulse_bank& d_pulse;
    int d_n_chains;
    int d_step;                        // samples per symbol
    int d_lag;                         // samples of a part
    std::vector<int> d_segment_starts; // samples from the first chip
    double d_noise_level;
    float d_threshold;

    chain_buffer<gr_complex> d_filtered;
    chain_buffer<gr_complex> d_correlation; // of the segment that begins there
    chain_buffer<float> d_power;            // likewise
    std::vector<gr_complex> d_products, d_part;
    std::vector<float> d_squares;
    std::vector<gr_complex> d_sum;
    std::vector<float> d_live;
    int64_t d_next = 0; // place whose metric is next
    candidate d_peak;   // not yet known to be the highest around
    bool d_has_peak = false;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_SYNC_PREAMBLE_SEARCH_H */
