/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/kernel_math.h"
#include "common/multiversion.h"
#include "detection/row_column_variance.h"

namespace gr {
namespace thzum {

namespace {

THZUM_MULTIVERSION
void square_kernel(const float* in, long n, float* out)
{
    for (long i = 0; i < n; i++)
        out[i] = in[i] * in[i];
}

THZUM_MULTIVERSION
void row_kernel(float* row, float noise_var, int n)
{
    for (int i = 0; i < n; i++)
        row[i] = 1.0f / (noise_var + row[i]);
}

THZUM_MULTIVERSION
void cavity_kernel(float* cavity, int n)
{
    for (int i = 0; i < n; i++)
        cavity[i] = 1.0f / larger(cavity[i], 1e-25f);
}

THZUM_MULTIVERSION
void posterior_kernel(const float* precision, const float* cavity, int n, float* variance)
{
    for (int i = 0; i < n; i++)
        variance[i] = cavity[i] / (1.0f + precision[i] * cavity[i]);
}

} // namespace

row_column_variance::row_column_variance(const real_model& model, int max_count)
    : d_model(model),
      d_energy(static_cast<size_t>(model.rows()) * model.max_column_stride()),
      d_energy_transposed(static_cast<size_t>(model.max_columns()) * model.row_stride()),
      d_row(static_cast<size_t>(max_count) * model.row_stride())
{
}

void row_column_variance::set_channel()
{
    const long rows = d_model.rows(), columns = d_model.columns();
    square_kernel(d_model.matrix(), rows * d_model.column_stride(), d_energy.data());
    square_kernel(d_model.transposed(), columns * d_model.row_stride(), d_energy_transposed.data());
}

void row_column_variance::posterior(const float* precision,
                                    const float* cavity,
                                    int n,
                                    float* variance)
{
    posterior_kernel(precision, cavity, n, variance);
}

void row_column_variance::pass(const float* precision, int count, float* variance, float* cavity)
{
    const int column_stride = d_model.column_stride(), row_stride = d_model.row_stride();
    batch_product(d_energy_transposed.data(),
                  d_model.columns(),
                  row_stride,
                  variance,
                  column_stride,
                  count,
                  d_row.data());
    row_kernel(d_row.data(), d_model.noise_var(), count * row_stride);
    batch_product(
        d_energy.data(), d_model.rows(), column_stride, d_row.data(), row_stride, count, cavity);
    cavity_kernel(cavity, count * column_stride);
    posterior_kernel(precision, cavity, count * column_stride, variance);
}

} // namespace thzum
} // namespace gr
