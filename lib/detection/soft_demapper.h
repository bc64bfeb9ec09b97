/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_DETECTION_SOFT_DEMAPPER_H
#define INCLUDED_THZUM_DETECTION_SOFT_DEMAPPER_H

#include "detection/constellation.h"
#include <cstdint>

namespace gr {
namespace thzum {

/*!
 * \brief Hard symbols and bit log-likelihood ratios of x_hat = x + complex Gaussian noise.
 *
 * Works axis by axis. Max-log keeps the nearest level of each bit value; log-MAP sums over all
 * levels. Results stay finite for every finite input: x_hat is limited to \ref max_amplitude.
 */
class soft_demapper
{
public:
    static constexpr float max_amplitude = 1e9f;

    soft_demapper(const constellation& map, bool exact);

    const constellation& map() const { return d_map; }

    /*!
     * \param x_hat [count] unbiased symbol estimates
     * \param variance [count] their error variances, > 0
     * \param symbols [count] nearest point
     * \param llr [count][bits] log P(bit=0) / P(bit=1), or nullptr
     */
    void
    demap(const gr_complex* x_hat, const float* variance, int count, int32_t* symbols, float* llr);

private:
    static constexpr int chunk =
        128; // axis values worked on at a time, so that all scratch stays in L1

    void load(const gr_complex* x_hat, const float* variance, int n_symbols);
    void slice(int n_symbols, int32_t* symbols);
    void bit_llr(int bit, int n_values);

    const constellation& d_map;
    bool d_exact;
    std::vector<int32_t>
        d_spread;                // [levels] bits of an axis at every second place of a symbol index
    std::vector<float> d_values; // [chunk] axis amplitudes
    std::vector<float> d_weights;   // [chunk] 1 / variance
    std::vector<float> d_metrics;   // [levels][chunk]
    std::vector<int32_t> d_nearest; // [chunk] level
    std::vector<float> d_best;      // [2][chunk] smallest metric with the bit 0 and with the bit 1
    std::vector<float> d_sum;       // [2][chunk] likelihoods relative to those
    std::vector<float> d_llr;       // [chunk]
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_DETECTION_SOFT_DEMAPPER_H */
