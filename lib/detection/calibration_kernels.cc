/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detection/calibration_kernels.h"
#include "common/kernel_math.h"
#include "common/multiversion.h"

namespace gr {
namespace thzum {

namespace {

// As in python/thzum/training/amp_gnn_network.py.
constexpr float shift_limit = 4.0f, scale_limit = 4.0f, state_limit = 3.0f;
constexpr float log_weight = 0.15f;

inline __attribute__((always_inline)) float bounded(float x, float limit)
{
    return limit * x / (limit + __builtin_fabsf(x));
}

inline __attribute__((always_inline)) float squashed(float x)
{
    return x / __builtin_sqrtf(1.0f + x * x);
}

} // namespace

THZUM_MULTIVERSION
void logarithms(const float* in, int n, float* out)
{
    for (int k = 0; k < n; k++)
        out[k] = log_positive(in[k]);
}

THZUM_MULTIVERSION
float mean_misfit(const float* residual, const float* s, int n)
{
    float sum = 0.0f;
    for (int k = 0; k < n; k++)
        sum += residual[k] * residual[k] / s[k];
    return sum / n;
}

THZUM_MULTIVERSION
void own_features(const calibration_view& view,
                  const float* log_energy,
                  int n,
                  float* __restrict odd,
                  float* __restrict even)
{
    const float reach = 0.5f / __builtin_sqrtf(view.prior_variance);
    for (int k = 0; k < n; k++) {
        const float weight = 1.0f / __builtin_sqrtf(view.s[k]);
        const float pull = squashed((view.r[k] - view.mean[k]) * weight);
        const float change = view.mean[k] - view.x[k];
        odd[k] = pull;
        odd[n + k] = squashed(view.residual[k] * weight);
        odd[2 * n + k] = squashed(change * weight);
        odd[3 * n + k] = 2.0f * squashed(reach * view.r[k]);
        odd[4 * n + k] = squashed(change);
        even[k] = log_weight * log_positive(view.s[k]);
        even[n + k] = log_weight * (view.log_variance - log_energy[k]);
        even[2 * n + k] = log_weight * log_positive(view.v[k] + 1e-6f);
        even[3 * n + k] = view.variance[k] / (view.variance[k] + view.s[k]);
        even[4 * n + k] = pull * pull;
        even[5 * n + k] = log_weight * view.log_misfit;
    }
}

THZUM_MULTIVERSION
void softsign(const float* in, float limit, int n, float* out)
{
    for (int k = 0; k < n; k++)
        out[k] = bounded(in[k], limit);
}

THZUM_MULTIVERSION
void read_calibration(const calibration_rows& in,
                      int n,
                      float* __restrict shift,
                      float* __restrict scale,
                      float* __restrict keep)
{
    constexpr float log2_e = 1.44269504f;
    constexpr float largest_scale = 54.5981500f; // exp(scale_limit)
    for (int k = 0; k < n; k++) {
        shift[k] = bounded(in.shift[k], shift_limit);
        const float below = bounded(in.scale[k], scale_limit) - scale_limit;
        scale[k] = largest_scale * exp2_nonpositive(log2_e * below);
        keep[k] = 0.5f + 0.5f * bounded(in.damping[k], 1.0f);
    }
}

THZUM_MULTIVERSION
void move_states(const float* updates, int n, float* __restrict states)
{
    for (int k = 0; k < n; k++)
        states[k] = bounded(states[k] + updates[k], state_limit);
}

} // namespace thzum
} // namespace gr
