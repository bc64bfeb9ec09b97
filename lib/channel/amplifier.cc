/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "channel/amplifier.h"
#include "channel/elementary.h"
#include "common/multiversion.h"

namespace gr {
namespace thzum {

namespace {

// The gain is (1 + u^p)^(-1 / 2p) of the relative power u = |x|^2 / A^2. With v = p log2(u), its
// logarithm log2(1 + 2^v) = max(v, 0) + log2(1 + 2^-|v|) neither overflows nor loses the small
// terms.
THZUM_MULTIVERSION
void compress(
    float* __restrict re, float* __restrict im, float smoothness, float inverse_power, int n)
{
    const float exponent = -0.5f / smoothness;
    for (int i = 0; i < n; i++) {
        const float u = (re[i] * re[i] + im[i] * im[i]) * inverse_power;
        const float v = smoothness * log2_of(u);
        const float magnitude = __builtin_fabsf(v);
        const float rest = exp2_of(magnitude < 126.0f ? -magnitude : -126.0f);
        const float above = v > 0.0f ? v : 0.0f;
        const float gain = exp2_of(exponent * (above + log2_of(1.0f + rest)));
        re[i] *= gain;
        im[i] *= gain;
    }
}

} // namespace

rapp_amplifier::rapp_amplifier(double smoothness, double saturation)
    : d_smoothness(float(smoothness)), d_inverse_power(float(1.0 / (saturation * saturation)))
{
}

void rapp_amplifier::apply(sample_block& block) const
{
    for (int row = 0; row < block.rows(); row++)
        compress(block.re(row), block.im(row), d_smoothness, d_inverse_power, block.padded_count());
}

} // namespace thzum
} // namespace gr
