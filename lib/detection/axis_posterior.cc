/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/kernel_math.h"
#include "common/multiversion.h"
#include "detection/axis_posterior.h"
#include "detection/batch_product.h"

namespace gr {
namespace thzum {

namespace {

/*! Smallest variance, so that its reciprocal stays a number. */
constexpr float min_posterior_variance = 1e-13f;

/*! The moments are taken about the nearest level: nothing cancels when it is all but certain. */
THZUM_MULTIVERSION
void posterior_kernel(const float* levels,
                      int n_levels,
                      const float* r,
                      const float* v,
                      int n,
                      float* mean,
                      float* variance)
{
    constexpr float half_log2_e = 0.72134752f;
    constexpr float reach = 1e6f;
    for (int first = 0; first < n; first += lanes) {
        float at[lanes], weight[lanes], nearest[lanes], best[lanes];
        float sum[lanes] = {}, shift[lanes] = {}, square[lanes] = {};
        for (int k = 0; k < lanes; k++) {
            at[k] = smaller(larger(r[first + k], -reach), reach);
            weight[k] = half_log2_e / larger(v[first + k], 1e-20f);
            nearest[k] = levels[0];
            best[k] = (at[k] - levels[0]) * (at[k] - levels[0]);
        }
        for (int l = 1; l < n_levels; l++)
            for (int k = 0; k < lanes; k++) {
                const float distance = (at[k] - levels[l]) * (at[k] - levels[l]);
                nearest[k] = distance < best[k] ? levels[l] : nearest[k];
                best[k] = smaller(distance, best[k]);
            }
        for (int l = 0; l < n_levels; l++)
            for (int k = 0; k < lanes; k++) {
                // best - distance, without the square of what both share
                const float step = levels[l] - nearest[k];
                const float less = step * (2.0f * at[k] - nearest[k] - levels[l]);
                const float p = exp2_nonpositive(smaller(less, 0.0f) * weight[k]);
                sum[k] += p;
                shift[k] += p * step;
                square[k] += p * step * step;
            }
        for (int k = 0; k < lanes; k++) {
            const float scale = 1.0f / sum[k];
            const float offset = shift[k] * scale;
            mean[first + k] = nearest[k] + offset;
            variance[first + k] =
                larger(square[k] * scale - offset * offset, min_posterior_variance);
        }
    }
}

} // namespace

void axis_posterior(const std::vector<float>& levels,
                    const float* r,
                    const float* v,
                    int n,
                    float* mean,
                    float* variance)
{
    posterior_kernel(levels.data(), static_cast<int>(levels.size()), r, v, n, mean, variance);
}

} // namespace thzum
} // namespace gr
