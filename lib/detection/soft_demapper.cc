/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/kernel_math.h"
#include "common/multiversion.h"
#include "detection/soft_demapper.h"
#include <algorithm>
#include <cmath>
#include <limits>

namespace gr {
namespace thzum {

namespace {

THZUM_MULTIVERSION
void limit_values(float* values, int n, float limit)
{
    for (int i = 0; i < n; i++)
        values[i] = smaller(larger(values[i], -limit), limit);
}

/*! metric = level^2 - 2 level value, the squared distance less value^2, which every level shares.
 */
THZUM_MULTIVERSION
void level_metric(const float* values, int n, float level, float* metric)
{
    for (int i = 0; i < n; i++)
        metric[i] = level * (level - 2.0f * values[i]);
}

THZUM_MULTIVERSION
void keep_nearest(const float* metric, int n, int32_t level, float* best, int32_t* best_level)
{
    for (int i = 0; i < n; i++) {
        best_level[i] = metric[i] < best[i] ? level : best_level[i];
        best[i] = smaller(metric[i], best[i]);
    }
}

THZUM_MULTIVERSION
void keep_smaller(const float* metric, int n, float* best)
{
    for (int i = 0; i < n; i++)
        best[i] = smaller(metric[i], best[i]);
}

THZUM_MULTIVERSION
void weighted_difference(const float* a, const float* b, const float* weights, int n, float* result)
{
    for (int i = 0; i < n; i++)
        result[i] = weights[i] * (a[i] - b[i]);
}

/*! sum += exp((best - metric) weight); arguments are <= 0. */
THZUM_MULTIVERSION
void add_likelihood(const float* metric, const float* best, const float* weights, int n, float* sum)
{
    constexpr float log2_e = 1.44269504f;
    for (int i = 0; i < n; i++)
        sum[i] += exp2_nonpositive((best[i] - metric[i]) * weights[i] * log2_e);
}

} // namespace

soft_demapper::soft_demapper(const constellation& map, bool exact)
    : d_map(map),
      d_exact(exact),
      d_spread(map.levels.size()),
      d_values(chunk),
      d_weights(chunk),
      d_metrics(map.levels.size() * chunk),
      d_nearest(chunk),
      d_best(2 * chunk),
      d_sum(2 * chunk),
      d_llr(chunk)
{
    for (size_t level = 0; level < d_spread.size(); level++)
        for (int bit = 0; bit < map.bits_per_axis; bit++)
            d_spread[level] |= ((level >> bit) & 1) << (map.axes * bit);
}

void soft_demapper::demap(
    const gr_complex* x_hat, const float* variance, int count, int32_t* symbols, float* llr)
{
    const int axes = d_map.axes;
    const int bits = d_map.bits_per_symbol();
    const int step = chunk / axes;
    for (int first = 0; first < count; first += step) {
        const int n_symbols = std::min(step, count - first);
        load(x_hat + first, variance + first, n_symbols);
        slice(n_symbols, symbols + first);
        if (llr == nullptr)
            continue;
        float* out = llr + static_cast<size_t>(first) * bits;
        for (int bit = 0; bit < d_map.bits_per_axis; bit++) {
            bit_llr(bit, n_symbols * axes);
            for (int i = 0; i < n_symbols; i++)
                for (int axis = 0; axis < axes; axis++)
                    out[i * bits + bit * axes + axis] = d_llr[i * axes + axis];
        }
    }
}

void soft_demapper::load(const gr_complex* x_hat, const float* variance, int n_symbols)
{
    const int axes = d_map.axes;
    const float diagonal = std::sqrt(0.5f);
    for (int i = 0; i < n_symbols; i++) {
        if (axes == 1) {
            d_values[i] = diagonal * (x_hat[i].real() + x_hat[i].imag());
        } else {
            d_values[2 * i] = x_hat[i].real();
            d_values[2 * i + 1] = x_hat[i].imag();
        }
        std::fill_n(&d_weights[axes * i], axes, 1.0f / variance[i]);
    }
    limit_values(d_values.data(), n_symbols * axes, max_amplitude);
    for (size_t level = 0; level < d_map.levels.size(); level++)
        level_metric(
            d_values.data(), n_symbols * axes, d_map.levels[level], &d_metrics[level * chunk]);
}

void soft_demapper::slice(int n_symbols, int32_t* symbols)
{
    const int axes = d_map.axes;
    std::copy_n(d_metrics.data(), n_symbols * axes, d_best.data());
    std::fill_n(d_nearest.data(), n_symbols * axes, 0);
    for (size_t level = 1; level < d_map.levels.size(); level++)
        keep_nearest(&d_metrics[level * chunk],
                     n_symbols * axes,
                     static_cast<int32_t>(level),
                     d_best.data(),
                     d_nearest.data());
    for (int i = 0; i < n_symbols; i++)
        symbols[i] = axes == 1 ? d_nearest[i]
                               : 2 * d_spread[d_nearest[2 * i]] + d_spread[d_nearest[2 * i + 1]];
}

void soft_demapper::bit_llr(int bit, int n_values)
{
    const int n_levels = static_cast<int>(d_map.levels.size());
    const int shift = d_map.bits_per_axis - 1 - bit;
    std::fill(d_best.begin(), d_best.end(), std::numeric_limits<float>::max());
    for (int level = 0; level < n_levels; level++)
        keep_smaller(&d_metrics[level * chunk], n_values, &d_best[((level >> shift) & 1) * chunk]);
    // On an axis the noise variance is half, so log p = -distance^2 / variance.
    weighted_difference(&d_best[chunk], d_best.data(), d_weights.data(), n_values, d_llr.data());
    if (!d_exact)
        return;
    std::fill(d_sum.begin(), d_sum.end(), 0.0f);
    for (int level = 0; level < n_levels; level++) {
        const int value = (level >> shift) & 1;
        add_likelihood(&d_metrics[level * chunk],
                       &d_best[value * chunk],
                       d_weights.data(),
                       n_values,
                       &d_sum[value * chunk]);
    }
    for (int i = 0; i < n_values; i++)
        d_llr[i] += std::log(d_sum[i] / d_sum[chunk + i]);
}

} // namespace thzum
} // namespace gr
