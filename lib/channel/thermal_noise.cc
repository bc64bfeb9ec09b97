/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "channel/counter_noise.h"
#include "channel/thermal_noise.h"
#include "common/multiversion.h"
#include <cmath>

namespace gr {
namespace thzum {

namespace {

THZUM_MULTIVERSION
void multiply_add(float* __restrict sum, float factor, const float* __restrict x, int n)
{
    for (int i = 0; i < n; i++)
        sum[i] += factor * x[i];
}

} // namespace

thermal_noise::thermal_noise(uint64_t seed) : d_seed(seed), d_normal(sample_block::capacity) {}

void thermal_noise::add(sample_block& block, const float* variance)
{
    for (int row = 0; row < block.rows(); row++)
        for (int part = 0; part < 2; part++) {
            counter_normal(d_seed,
                           noise_substream(noise_effect::thermal, row, part),
                           d_index,
                           block.count,
                           d_normal.data());
            multiply_add(part == 0 ? block.re(row) : block.im(row),
                         std::sqrt(0.5f * variance[row]),
                         d_normal.data(),
                         block.count);
        }
    d_index += block.count;
}

} // namespace thzum
} // namespace gr
