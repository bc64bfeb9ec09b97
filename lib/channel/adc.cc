/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "channel/adc.h"
#include "channel/elementary.h"
#include "common/multiversion.h"
#include <algorithm>
#include <cfloat>
#include <cmath>

namespace gr {
namespace thzum {

namespace {

// Rows whose gain controls advance side by side: each step of one waits for the step before.
constexpr int tracks = 4;

// The step is relative_step * sqrt(power / 2), of which `scale` = relative_step / sqrt(2).
THZUM_MULTIVERSION
void quantise(float* __restrict re,
              float* __restrict im,
              const float* __restrict power,
              float scale,
              float half,
              int n)
{
    for (int i = 0; i < n; i++) {
        const float step = scale * root(power[i]), inverse = 1.0f / step;
        float* const parts[] = { re + i, im + i };
        for (int part = 0; part < 2; part++) {
            const float x = *parts[part] * inverse;
            const float clipped = x < -half ? -half : (x > half - 1 ? half - 1 : x);
            const float toward_zero = float(int32_t(clipped));
            const float level = toward_zero > clipped ? toward_zero - 1.0f : toward_zero;
            *parts[part] = step * (level + 0.5f);
        }
    }
}

} // namespace

adc::adc(const adc_settings& settings, int rows)
    : d_mean_power(rows, settings.power), d_before(size_t(rows) * sample_block::capacity)
{
    d_settings.power = settings.power;
    update(settings);
}

void adc::update(const adc_settings& settings)
{
    if (settings.power != d_settings.power || settings.agc_samples == 0)
        std::fill(d_mean_power.begin(), d_mean_power.end(), settings.power);
    d_settings = settings;
    d_relative_step = settings.loading > 0 ? std::ldexp(settings.loading, 1 - settings.bits)
                                           : optimal_quantiser_step(settings.bits);
}

// Exponential average of the power, in double: with long time constants the steps are small.
void adc::track(sample_block& block, int row, int rows)
{
    const double keep = 1.0 - 1.0 / d_settings.agc_samples, take = 1.0 / d_settings.agc_samples;
    double mean[tracks] = {};
    const float* parts[tracks];
    for (int r = 0; r < tracks; r++) {
        // A group that is not full repeats its last row.
        const int source = row + std::min(r, rows - 1);
        parts[r] = block.re(source);
        mean[r] = d_mean_power[source];
    }
    float* before = &d_before[size_t(row) * sample_block::capacity];
    const int n = block.count;
    for (int i = 0; i < n; i++)
        for (int r = 0; r < tracks; r++) {
            const float x = parts[r][i], y = parts[r][i + sample_block::capacity];
            before[std::min(r, rows - 1) * sample_block::capacity + i] =
                std::max(float(mean[r]), FLT_MIN);
            mean[r] = keep * mean[r] + take * (double(x) * x + double(y) * y);
        }
    for (int r = 0; r < rows; r++)
        d_mean_power[row + r] = mean[r];
}

void adc::apply(sample_block& block)
{
    const int rows = block.rows(), n = block.padded_count();
    const bool is_fixed = d_settings.agc_samples == 0;
    if (is_fixed)
        std::fill(d_before.begin(), d_before.end(), float(d_settings.power));
    for (int row = 0; row < rows; row += tracks)
        if (!is_fixed)
            track(block, row, std::min(tracks, rows - row));
    for (int row = 0; row < rows; row++) {
        float* before = &d_before[size_t(row) * sample_block::capacity];
        std::fill(before + block.count, before + n, 1.0f);
        quantise(block.re(row),
                 block.im(row),
                 before,
                 float(d_relative_step * std::sqrt(0.5)),
                 float(1 << (d_settings.bits - 1)),
                 n);
    }
}

} // namespace thzum
} // namespace gr
