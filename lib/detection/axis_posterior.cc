/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "common/packet.h"
#include "detection/axis_posterior.h"
#include <cstdint>

namespace gr {
namespace thzum {

namespace {

/*! Smallest variance, so that its reciprocal stays a number. */
constexpr float min_posterior_variance = 1e-13f;

typedef int32_t int_packet __attribute__((vector_size(lanes * sizeof(int32_t))));

inline __attribute__((always_inline)) packet all(float value) { return packet{} + value; }

inline __attribute__((always_inline)) packet larger(packet a, float b)
{
    return a > b ? a : all(b);
}

inline __attribute__((always_inline)) packet smaller(packet a, float b)
{
    return a < b ? a : all(b);
}

/*! As exp2_nonpositive() of kernel_math.h, but from -60 on constant: nothing is so small that its
 * square leaves the normal numbers, which is slow. */
inline __attribute__((always_inline)) packet exp2_of(packet x)
{
    x = larger(x, -60.0f);
    const int_packet k = __builtin_convertvector(x - 0.5f, int_packet);
    const packet f = (x - __builtin_convertvector(k, packet)) * 0.693147181f;
    const packet tail = 1.0f / 6 + f * (1.0f / 24 + f * (1.0f / 120 + f * (1.0f / 720)));
    const packet mantissa = 1.0f + f * (1.0f + f * (0.5f + f * tail));
    const int_packet power = (k + 127) << 23;
    return mantissa * reinterpret_cast<const packet&>(power);
}

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
        const packet at = smaller(larger(packet_at(r + first), -reach), reach);
        const packet weight = half_log2_e / larger(packet_at(v + first), 1e-20f);
        packet nearest = all(levels[0]);
        packet best = (at - levels[0]) * (at - levels[0]);
        for (int l = 1; l < n_levels; l++) {
            const packet distance = (at - levels[l]) * (at - levels[l]);
            nearest = distance < best ? all(levels[l]) : nearest;
            best = distance < best ? distance : best;
        }
        packet sum = {}, shift = {}, square = {};
        const packet twice = 2.0f * at - nearest;
        for (int l = 0; l < n_levels; l++) {
            // best - distance, without the square of what both share
            const packet step = levels[l] - nearest;
            const packet p = exp2_of(smaller(step * (twice - levels[l]), 0.0f) * weight);
            sum += p;
            shift += p * step;
            square += p * step * step;
        }
        const packet scale = 1.0f / sum;
        const packet offset = shift * scale;
        packet_at(mean + first) = nearest + offset;
        packet_at(variance + first) =
            larger(square * scale - offset * offset, min_posterior_variance);
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
