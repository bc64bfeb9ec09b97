/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/kernel_math.h"
#include "common/multiversion.h"
#include "detection/amp_linear.h"
#include <algorithm>

namespace gr {
namespace thzum {

namespace {

THZUM_MULTIVERSION
void square_kernel(const float* in, long n, float* out)
{
    for (long i = 0; i < n; i++)
        out[i] = in[i] * in[i];
}

struct row_state {
    const float* y;
    float* mean;
    float* variance;
    float* residual;
    float* precision;
};

/*! Onsager-corrected mean of the rows, damping, and the residual weighted by its precision. */
THZUM_MULTIVERSION
void row_kernel(const row_state& state,
                const float* new_mean,
                const float* new_variance,
                float noise_var,
                float new_part,
                int n)
{
    const float* y = state.y;
    float* __restrict mean = state.mean;
    float* __restrict variance = state.variance;
    float* __restrict residual = state.residual;
    float* __restrict precision = state.precision;
    for (int i = 0; i < n; i++) {
        const float corrected = new_mean[i] - new_variance[i] * residual[i];
        mean[i] += new_part * (corrected - mean[i]);
        variance[i] += new_part * (new_variance[i] - variance[i]);
        precision[i] = 1.0f / (noise_var + variance[i]);
        residual[i] = (y[i] - mean[i]) * precision[i];
    }
}

/*! r and s hold H^T residual and |H|^2^T precision and become estimate and variance. */
THZUM_MULTIVERSION
void column_kernel(const float* x, float* __restrict r, float* __restrict s, int n)
{
    for (int i = 0; i < n; i++) {
        s[i] = 1.0f / larger(s[i], 1e-25f);
        r[i] = x[i] + s[i] * r[i];
    }
}

} // namespace

amp_linear::amp_linear(const real_model& model, int max_count)
    : d_model(model),
      d_energy(static_cast<size_t>(model.rows()) * model.max_column_stride()),
      d_energy_transposed(static_cast<size_t>(model.max_columns()) * model.row_stride()),
      d_mean(static_cast<size_t>(max_count) * model.row_stride()),
      d_variance(d_mean.size()),
      d_residual(d_mean.size()),
      d_precision(d_mean.size()),
      d_new_mean(d_mean.size()),
      d_new_variance(d_mean.size())
{
}

void amp_linear::set_channel()
{
    const long rows = d_model.rows(), columns = d_model.columns();
    square_kernel(d_model.matrix(), rows * d_model.column_stride(), d_energy.data());
    square_kernel(d_model.transposed(), columns * d_model.row_stride(), d_energy_transposed.data());
}

void amp_linear::start(const float* y, int count)
{
    d_y = y;
    d_count = count;
    d_is_first = true;
    const size_t n = static_cast<size_t>(count) * d_model.row_stride();
    std::fill_n(d_mean.begin(), n, 0.0f);
    std::fill_n(d_variance.begin(), n, 0.0f);
    std::fill_n(d_residual.begin(), n, 0.0f);
}

void amp_linear::step(const float* x, const float* v, const float* new_part, float* r, float* s)
{
    const int rows = d_model.rows(), columns = d_model.columns();
    const int row_stride = d_model.row_stride(), column_stride = d_model.column_stride();
    batch_product(
        d_model.transposed(), columns, row_stride, x, column_stride, d_count, d_new_mean.data());
    batch_product(d_energy_transposed.data(),
                  columns,
                  row_stride,
                  v,
                  column_stride,
                  d_count,
                  d_new_variance.data());
    for (int b = 0; b < d_count; b++) {
        const size_t at = static_cast<size_t>(b) * row_stride;
        row_kernel({ d_y + at, &d_mean[at], &d_variance[at], &d_residual[at], &d_precision[at] },
                   &d_new_mean[at],
                   &d_new_variance[at],
                   d_model.noise_var(),
                   d_is_first ? 1.0f : new_part[b],
                   row_stride);
    }
    d_is_first = false;
    batch_product(d_model.matrix(), rows, column_stride, d_residual.data(), row_stride, d_count, r);
    batch_product(d_energy.data(), rows, column_stride, d_precision.data(), row_stride, d_count, s);
    column_kernel(x, r, s, d_count * column_stride);
}

} // namespace thzum
} // namespace gr
