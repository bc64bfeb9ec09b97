/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "channel/iq_imbalance.h"
#include "common/multiversion.h"
#include <cmath>

namespace gr {
namespace thzum {

namespace {

THZUM_MULTIVERSION
void mix(const float* __restrict re, float* __restrict im, float from_i, float from_q, int n)
{
    for (int i = 0; i < n; i++)
        im[i] = from_i * re[i] + from_q * im[i];
}

} // namespace

iq_imbalance::iq_imbalance(double amplitude_db, double phase_deg)
{
    const double gain = std::pow(10.0, amplitude_db / 20.0), phase = phase_deg * M_PI / 180.0;
    d_from_i = float(-gain * std::sin(phase));
    d_from_q = float(gain * std::cos(phase));
}

void iq_imbalance::apply(sample_block& block) const
{
    for (int row = 0; row < block.rows(); row++)
        mix(block.re(row), block.im(row), d_from_i, d_from_q, block.padded_count());
}

} // namespace thzum
} // namespace gr
