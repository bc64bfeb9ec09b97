/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_CHANNEL_THERMAL_NOISE_H
#define INCLUDED_THZUM_CHANNEL_THERMAL_NOISE_H

#include "channel/sample_block.h"
#include <cstdint>
#include <vector>

namespace gr {
namespace thzum {

/*!
 * White complex Gaussian noise of the RF chains; sample k of chain s is that of the Python function
 * complex_normal(seed, Effect.THERMAL, s, k) times the square root of the variance.
 */
class THZUM_API thermal_noise
{
public:
    explicit thermal_noise(uint64_t seed);

    /*! Adds noise to the block, the next samples of the stream. \p variance: E|w|^2 in each row,
     * [rows] */
    void add(sample_block& block, const float* variance);

private:
    uint64_t d_seed;
    uint64_t d_index = 0;
    std::vector<float> d_normal; // [capacity]
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_CHANNEL_THERMAL_NOISE_H */
