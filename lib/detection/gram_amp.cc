/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/kernel_math.h"
#include "common/multiversion.h"
#include "detection/axis_posterior.h"
#include "detection/gram_amp.h"
#include <algorithm>
#include <cmath>
#include <limits>

namespace gr {
namespace thzum {

namespace {

constexpr float min_energy = 1e-6f;
constexpr float min_noise_var = 2e-3f;         // less makes no level more certain
constexpr float min_estimate_variance = 1e-6f; // of the training, too

float half_spacing(const std::vector<float>& levels)
{
    const auto [lowest, highest] = std::minmax_element(levels.begin(), levels.end());
    return (*highest - *lowest) / (2.0f * (levels.size() - 1));
}

std::vector<float> in_units(const std::vector<float>& levels, float unit)
{
    std::vector<float> scaled(levels);
    for (auto& level : scaled)
        level = std::round(level / unit);
    return scaled;
}

float mean_square(const std::vector<float>& levels)
{
    float sum = 0.0f;
    for (const float level : levels)
        sum += level * level;
    return sum / levels.size();
}

/*! A column of the coupling from the Gram matrix's, and its square. */
THZUM_MULTIVERSION
void coupling_kernel(const float* gram, const float* energy, int n, float* coupling, float* squared)
{
    for (int k = 0; k < n; k++) {
        const float a = gram[k] / energy[k];
        coupling[k] = a;
        squared[k] = a * a;
    }
}

THZUM_MULTIVERSION
void matched_kernel(const float* product, const float* energy, float weight, int n, float* out)
{
    for (int k = 0; k < n; k++)
        out[k] = weight * product[k] / energy[k];
}

THZUM_MULTIVERSION
float weighted_sum_kernel(const float* weight, const float* v, int n)
{
    float sum = 0.0f;
    for (int k = 0; k < n; k++)
        sum += weight[k] * v[k];
    return sum;
}

/*! Rows of a vector follow one another as in gram_amp::row. */
THZUM_MULTIVERSION
void estimate_kernel(float* __restrict state,
                     const float* sum,
                     const float* variance_sum,
                     const float* noise,
                     float onsager,
                     int n)
{
    const float* matched = state;
    const float* x = state + n * gram_amp::x;
    float* memory = state + n * gram_amp::memory;
    float* residual = state + n * gram_amp::residual;
    float* r = state + n * gram_amp::r;
    float* s = state + n * gram_amp::s;
    for (int k = 0; k < n; k++) {
        const float e = matched[k] - sum[k] - x[k];
        const float q = e + onsager * memory[k];
        residual[k] = e;
        memory[k] = q;
        r[k] = x[k] + q;
        s[k] = larger(noise[k] + variance_sum[k], min_estimate_variance);
    }
}

THZUM_MULTIVERSION
void calibrate_kernel(float* __restrict state, int n)
{
    const float* shift = state + n * gram_amp::shift;
    const float* scale = state + n * gram_amp::scale;
    float* r = state + n * gram_amp::r;
    float* s = state + n * gram_amp::s;
    for (int k = 0; k < n; k++) {
        r[k] += __builtin_sqrtf(s[k]) * shift[k];
        s[k] *= scale[k];
    }
}

THZUM_MULTIVERSION
void take_over_kernel(float* __restrict state, const float* mean, const float* variance, int n)
{
    const float* keep = state + n * gram_amp::keep;
    float* x = state + n * gram_amp::x;
    float* v = state + n * gram_amp::v;
    for (int k = 0; k < n; k++) {
        x[k] += keep[k] * (mean[k] - x[k]);
        v[k] += keep[k] * (variance[k] - v[k]);
    }
}

/*! Levels nearest to r: odd integers up to \p top. */
THZUM_MULTIVERSION
void nearest_kernel(const float* r, float top, int n, float* out)
{
    for (int k = 0; k < n; k++) {
        const float at = smaller(larger(r[k], -top), top);
        // Nothing is negative before it is cut off.
        out[k] = 2.0f * static_cast<float>(static_cast<int>(0.5f * (at + top) + 0.5f)) - top;
    }
}

/*! x^T G x - 2 x^T H^T y, \p sum the coupling of x. */
THZUM_MULTIVERSION
float distance_kernel(
    const float* x, const float* sum, const float* matched, const float* weight, int n)
{
    float distance = 0.0f;
    for (int k = 0; k < n; k++)
        distance += weight[k] * x[k] * (x[k] + sum[k] - 2.0f * matched[k]);
    return distance;
}

} // namespace

gram_amp::gram_amp(const real_model& model, const std::vector<float>& levels, int max_count)
    : d_model(model),
      d_pitch(model.max_column_stride()),
      d_unit(half_spacing(levels)),
      d_levels(in_units(levels, d_unit)),
      d_gram(static_cast<size_t>(model.max_columns()) * d_pitch),
      d_coupling(d_gram.size()),
      d_squared(d_gram.size()),
      d_energy(d_pitch),
      d_weight(d_pitch),
      d_noise(d_pitch),
      d_state(static_cast<size_t>(max_count) * n_rows * d_pitch),
      d_sum(static_cast<size_t>(max_count) * d_pitch),
      d_variance_sum(d_sum.size()),
      d_spread(max_count),
      d_distance(max_count),
      d_received(max_count)
{
    d_prior = mean_square(d_levels);
}

void gram_amp::set_channel()
{
    const int n = d_model.columns(), stride = d_model.column_stride();
    d_model.gram(d_gram);
    std::fill(d_coupling.begin(), d_coupling.end(), 0.0f);
    std::fill(d_squared.begin(), d_squared.end(), 0.0f);
    std::fill(d_energy.begin(), d_energy.end(), 1.0f);
    std::fill(d_weight.begin(), d_weight.end(), 0.0f);
    d_noise_var = std::max(d_model.noise_var() / (d_unit * d_unit), min_noise_var);
    for (int k = 0; k < n; k++) {
        const float energy = std::max(d_gram[static_cast<size_t>(k) * stride + k], min_energy);
        d_energy[k] = energy;
        d_weight[k] = energy / d_model.rows();
        d_gram[static_cast<size_t>(k) * stride + k] = 0.0f;
    }
    for (int k = 0; k < d_pitch; k++)
        d_noise[k] = d_noise_var / d_energy[k];
    for (int j = 0; j < n; j++) {
        const size_t to = static_cast<size_t>(j) * d_pitch;
        coupling_kernel(&d_gram[static_cast<size_t>(j) * stride],
                        d_energy.data(),
                        stride,
                        &d_coupling[to],
                        &d_squared[to]);
    }
}

void gram_amp::start(const float* y, int count)
{
    const int stride = d_model.column_stride();
    batch_product(
        d_model.matrix(), d_model.rows(), stride, y, d_model.row_stride(), count, d_sum.data());
    for (int b = 0; b < count; b++) {
        std::fill_n(at(b, matched), static_cast<size_t>(n_rows) * d_pitch, 0.0f);
        matched_kernel(&d_sum[static_cast<size_t>(b) * stride],
                       d_energy.data(),
                       1.0f / d_unit,
                       stride,
                       at(b, matched));
        std::fill_n(at(b, v), d_pitch, d_prior);
        std::fill_n(at(b, scale), d_pitch, 1.0f);
        std::fill_n(at(b, keep), d_pitch, 1.0f);
        d_spread[b] = 0.0f;
        d_distance[b] = std::numeric_limits<float>::max();
        const float* rows = y + static_cast<size_t>(b) * d_model.row_stride();
        d_received[b] = weighted_sum_kernel(rows, rows, d_model.rows()) / (d_unit * d_unit);
    }
}

void gram_amp::restart(int b, float taken)
{
    for (const row zero : { x, memory, shift })
        std::fill_n(at(b, zero), d_pitch, 0.0f);
    std::fill_n(at(b, v), d_pitch, d_prior);
    std::fill_n(at(b, scale), d_pitch, 1.0f);
    std::fill_n(at(b, keep), d_pitch, taken);
    d_spread[b] = 0.0f;
}

void gram_amp::couple(const float* in, int count, float* out) const
{
    batch_product(d_coupling.data(), d_model.columns(), d_pitch, in, d_pitch, count, out);
}

void gram_amp::couple_squared(const float* in, int count, float* out) const
{
    batch_product(d_squared.data(), d_model.columns(), d_pitch, in, d_pitch, count, out);
}

void gram_amp::linear_step(int count)
{
    const int n = d_model.columns(), apart = n_rows * d_pitch;
    const float* const matrices[2] = { d_coupling.data(), d_squared.data() };
    const float* const in[2] = { at(0, x), at(0, v) };
    float* const out[2] = { d_sum.data(), d_variance_sum.data() };
    batch_product_pair(matrices, n, d_pitch, in, apart, count, out);
    for (int b = 0; b < count; b++) {
        const float spread = weighted_sum_kernel(d_weight.data(), at(b, v), d_pitch);
        const size_t from = static_cast<size_t>(b) * d_pitch;
        estimate_kernel(at(b, matched),
                        &d_sum[from],
                        &d_variance_sum[from],
                        d_noise.data(),
                        spread / (d_noise_var + d_spread[b]),
                        d_pitch);
        d_spread[b] = spread;
    }
}

void gram_amp::weigh(int b)
{
    const size_t to = static_cast<size_t>(b) * d_pitch;
    calibrate_kernel(at(b, matched), d_pitch);
    posterior(b, &d_sum[to], &d_variance_sum[to]);
    take_over_kernel(at(b, matched), &d_sum[to], &d_variance_sum[to], d_pitch);
}

void gram_amp::posterior(int b, float* mean, float* variance) const
{
    axis_posterior(d_levels, at(b, r), at(b, s), d_pitch, mean, variance);
}

void gram_amp::step(int count)
{
    linear_step(count);
    for (int b = 0; b < count; b++)
        weigh(b);
}

float gram_amp::expected_errors(int b) const
{
    // A level a half distance of 1 away, wrong with probability p, leaves a variance of 4 p.
    const float* variance = &d_variance_sum[static_cast<size_t>(b) * d_pitch];
    float sum = 0.0f;
    for (int k = 0; k < d_model.columns(); k++)
        sum += variance[k];
    return 0.25f * sum;
}

bool gram_amp::remember(int b)
{
    const size_t at_b = static_cast<size_t>(b) * d_pitch;
    float *nearest = &d_sum[at_b], *sum = &d_variance_sum[at_b];
    nearest_kernel(at(b, r), static_cast<float>(d_levels.size() - 1), d_pitch, nearest);
    couple(nearest, 1, sum);
    const float distance =
        d_model.rows() * distance_kernel(nearest, sum, at(b, matched), d_weight.data(), d_pitch);
    if (!(distance < d_distance[b]))
        return false;
    d_distance[b] = distance;
    std::copy_n(at(b, r), 2 * d_pitch, at(b, best_r));
    return true;
}

float gram_amp::excess(int b) const
{
    // Noise alone leaves chi-squared with as many degrees of freedom as there are rows.
    const float rows = d_model.rows();
    return ((d_received[b] + d_distance[b]) / d_noise_var - rows) / std::sqrt(2.0f * rows);
}

void gram_amp::move(int from, int to)
{
    std::copy_n(at(from, matched), static_cast<size_t>(n_rows) * d_pitch, at(to, matched));
    d_spread[to] = d_spread[from];
    d_distance[to] = d_distance[from];
    d_received[to] = d_received[from];
}

} // namespace thzum
} // namespace gr
