/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/kernel_math.h"
#include "common/multiversion.h"
#include "estimation/quantiser_cell.h"
#include <cmath>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

// Gauss-Legendre rule of 16 nodes on (-1, 1), the positive half (Abramowitz and Stegun,
// table 25.4).
constexpr int pairs = 8;
constexpr float node[pairs] = { 0.095012510f, 0.281603551f, 0.458016778f, 0.617876244f,
                                0.755404408f, 0.865631202f, 0.944575023f, 0.989400935f };
constexpr float weight[pairs] = { 0.189450610f, 0.182603415f, 0.169156519f, 0.149595989f,
                                  0.124628971f, 0.095158512f, 0.062253524f, 0.027152459f };

constexpr float endless = 1e6f;   // deviations to the far end of an outermost cell
constexpr float drop_off = 36.0f; // twice the exponent at which a tail is cut
constexpr float half_log2_e = 0.721347520f;

// Density at mode + d, relative to that at the mode.
inline __attribute__((always_inline)) float density(float mode, float d)
{
    return exp2_nonpositive(smaller(-half_log2_e * d * (2.0f * mode + d), 0.0f));
}

THZUM_MULTIVERSION float posterior_of_cells(const float* level,
                                            const float* mean,
                                            float deviation,
                                            float step,
                                            float top,
                                            float* posterior,
                                            int count)
{
    const float inverse = 1.0f / deviation;
    float sum = 0.0f;
    for (int i = 0; i < count; ++i) {
        // In deviations from the mean, and mirrored so that the cell lies on the right or around
        // it.
        const float from_mean = (level[i] - mean[i]) * inverse;
        const float half = 0.5f * step * inverse;
        const float reach = half + endless;
        const float below = level[i] < -top + 0.5f * step ? reach : half;
        const float above = level[i] > top - 0.5f * step ? reach : half;
        const float sign = from_mean + 0.5f * (above - below) < 0.0f ? -1.0f : 1.0f;
        const float centre = sign * from_mean;
        const float low = centre - (sign > 0.0f ? below : above);
        const float high = centre + (sign > 0.0f ? above : below);

        const float mode = larger(low, 0.0f);
        const float tail = drop_off / (mode + std::sqrt(mode * mode + drop_off));
        const float left = larger(low - mode, -tail), right = smaller(high - mode, tail);
        const float middle = 0.5f * (left + right), width = 0.5f * (right - left);
        float mass = 0.0f, first = 0.0f, second = 0.0f; // about the middle, in widths
        for (int k = 0; k < pairs; ++k) {
            const float x = width * node[k];
            const float up = weight[k] * density(mode, middle + x);
            const float down = weight[k] * density(mode, middle - x);
            mass += up + down;
            first += node[k] * (up - down);
            second += node[k] * node[k] * (up + down);
        }
        const float shift = first / mass;
        posterior[i] = mean[i] + sign * deviation * (mode + middle + width * shift);
        sum += width * width * (second / mass - shift * shift);
    }
    return sum * deviation * deviation;
}

} // namespace

double cell_posterior(const float* level,
                      const float* mean,
                      float deviation,
                      float step,
                      float top,
                      float* posterior,
                      int count)
{
    return posterior_of_cells(level, mean, deviation, step, top, posterior, count);
}

} // namespace estimation
} // namespace thzum
} // namespace gr
