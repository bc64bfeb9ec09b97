/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "channel/sampling_offset.h"
#include "common/multiversion.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {

namespace {

constexpr double kaiser_beta = 8.5; // 84 dB from zero to 0.8 of the Nyquist frequency

// I0 by its power series, which needs some 30 terms here.
double bessel_i0(double x)
{
    double term = 1.0, sum = 1.0;
    for (int k = 1; term > 1e-18 * sum; k++) {
        term *= (x / (2 * k)) * (x / (2 * k));
        sum += term;
    }
    return sum;
}

double windowed_sinc(double t, int half_taps)
{
    const double inside = std::max(1 - (t / half_taps) * (t / half_taps), 0.0);
    const double sinc = t == 0.0 ? 1.0 : std::sin(M_PI * t) / (M_PI * t);
    return sinc * bessel_i0(kaiser_beta * std::sqrt(inside)) / bessel_i0(kaiser_beta);
}

// One output of every row: the inner product of its samples with the taps between two table rows.
THZUM_MULTIVERSION
void interpolate(const float* __restrict low,
                 const float* __restrict high,
                 float part,
                 const float* __restrict kept,
                 int stride,
                 int rows,
                 float* __restrict out,
                 int out_stride)
{
    constexpr int taps = 48;
    float weight[taps];
    for (int i = 0; i < taps; i++)
        weight[i] = low[i] + part * (high[i] - low[i]);
    for (int row = 0; row < 2 * rows; row++) {
        float sum = 0.0f;
        for (int i = 0; i < taps; i++)
            sum += weight[i] * kept[row * stride + i];
        out[row * out_stride] = sum;
    }
}

} // namespace

sampling_offset::sampling_offset(double ppm, int rows)
    : d_rate(1 + 1e-6 * ppm),
      d_table(size_t(fractions + 1) * taps),
      d_kept(size_t(2) * rows * room_size),
      d_first(1 - half_taps),
      d_n_kept(half_taps - 1)
{
    for (int f = 0; f <= fractions; f++)
        for (int i = 0; i < taps; i++)
            d_table[f * taps + i] =
                float(windowed_sinc(double(f) / fractions - (i + 1 - half_taps), half_taps));
}

int sampling_offset::acceptable(int room) const
{
    return std::clamp(int((room - 2) / d_rate), 0, sample_block::capacity);
}

void sampling_offset::push(sample_block& block)
{
    drop_used();
    for (int row = 0; row < block.rows(); row++) {
        float* kept = &d_kept[size_t(2) * row * room_size] + d_n_kept;
        std::copy_n(block.re(row), block.count, kept);
        std::copy_n(block.im(row), block.count, kept + room_size);
    }
    d_n_kept += block.count;
}

void sampling_offset::pull(sample_block& block)
{
    const int64_t end = d_first + d_n_kept;
    for (block.count = 0; block.count < sample_block::capacity; block.count++, d_next++) {
        const double instant = double(d_next) / d_rate;
        const int64_t base = int64_t(std::floor(instant));
        if (base + half_taps >= end)
            break;
        const double place = (instant - double(base)) * fractions;
        const int f = std::min(int(place), fractions - 1);
        const float* table = &d_table[size_t(f) * taps];
        interpolate(table,
                    table + taps,
                    float(place - f),
                    &d_kept[base + 1 - half_taps - d_first],
                    room_size,
                    block.rows(),
                    block.re(0) + block.count,
                    sample_block::capacity);
    }
}

uint64_t sampling_offset::output_index(uint64_t input) const
{
    return uint64_t(std::ceil(double(input) * d_rate));
}

// Keeps what the next output needs, so that a block fits behind it.
void sampling_offset::drop_used()
{
    const int64_t first = int64_t(std::floor(double(d_next) / d_rate)) + 1 - half_taps;
    const int used = int(std::clamp<int64_t>(first - d_first, 0, d_n_kept));
    for (size_t at = 0; at < d_kept.size(); at += room_size)
        std::copy(d_kept.begin() + at + used, d_kept.begin() + at + d_n_kept, d_kept.begin() + at);
    d_first += used;
    d_n_kept -= used;
}

} // namespace thzum
} // namespace gr
