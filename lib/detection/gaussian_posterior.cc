/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/kernel_math.h"
#include "common/multiversion.h"
#include "common/packet.h"
#include "detection/gaussian_posterior.h"
#include <algorithm>
#include <cstddef>

namespace gr {
namespace thzum {

namespace {

/*! Row i of D G D and of the identity beside it, from column \p first on. */
inline __attribute__((always_inline)) void
load_row(const float* gram_row, const float* scale, int i, int first, int stride, float* row)
{
    for (int c = first; c < stride; c++)
        row[c] = scale[i] * gram_row[c] * scale[c];
    for (int c = stride; c < stride + first + lanes; c++)
        row[c] = 0.0f;
    row[stride + i] = 1.0f;
}

/*! row[c] -= sum over j < i of rows[j][i] rows[j][c], for C registers' worth of columns. */
template <int C>
inline __attribute__((always_inline)) void
eliminate(const float* rows, int width, int i, float* row)
{
    packet sum[C];
    for (int c = 0; c < C; c++)
        sum[c] = packet_at(row + c * lanes);
    const float* above = row - static_cast<long>(i) * width;
    for (int j = 0; j < i; j++) {
        const float factor = rows[static_cast<long>(j) * width + i];
        for (int c = 0; c < C; c++)
            sum[c] -= factor * packet_at(above + c * lanes);
        above += width;
    }
    for (int c = 0; c < C; c++)
        packet_at(row + c * lanes) = sum[c];
}

/*!
 * Cholesky factor U of I + D G D, and U^-T, row by row. Of row i only the columns from i on of U
 * and those up to i of U^-T count, which stand side by side in a window of constant width. The
 * pivots are 1 + excess, and the excess is kept: it holds what is left of the likelihood.
 */
THZUM_MULTIVERSION
void factor_kernel(
    const float* gram, const float* scale, int n, int stride, float* rows, float* excess)
{
    const int width = 2 * stride;
    for (int i = 0; i < n; i++) {
        float* row = rows + static_cast<long>(i) * width;
        const int first = i / lanes * lanes;
        const int end = first + stride + lanes;
        load_row(gram + static_cast<long>(i) * stride, scale, i, first, stride, row);
        int c = first;
        for (; c + 4 * lanes <= end; c += 4 * lanes)
            eliminate<4>(rows, width, i, row + c);
        for (; c < end; c += lanes)
            eliminate<1>(rows, width, i, row + c);
        excess[i] = larger(row[i], 0.0f);
        const float pivot = 1.0f / __builtin_sqrtf(1.0f + excess[i]);
        for (c = first; c < end; c++)
            row[c] *= pivot;
    }
}

/*!
 * deviation = D U^-1 U^-T right, and information = 1 - diagonal of U^-1 U^-T. A column's diagonal
 * entry of U^-T alone leaves 1 - 1/(1 + excess); the others, as small as the likelihood is weak,
 * are taken off.
 */
THZUM_MULTIVERSION
void solve_kernel(float* __restrict rows,
                  const float* scale,
                  const float* right,
                  int n,
                  int stride,
                  float* __restrict deviation,
                  float* __restrict information)
{
    for (int c = 0; c < stride; c++) {
        deviation[c] = 0.0f;
        information[c] = information[c] / (1.0f + information[c]);
    }
    for (int i = 0; i < n; i++) {
        float* row = rows + static_cast<long>(2 * i + 1) * stride;
        const int used = i / lanes * lanes + lanes;
        float sum = 0.0f;
        for (int c = 0; c < used; c++)
            sum += row[c] * right[c];
        for (int c = 0; c < used; c++)
            deviation[c] += sum * row[c];
        row[i] = 0.0f;
        for (int c = 0; c < used; c++)
            information[c] -= row[c] * row[c];
    }
    for (int c = 0; c < stride; c++)
        deviation[c] *= scale[c];
}

THZUM_MULTIVERSION
void scale_kernel(const float* residual,
                  const float* precision,
                  int n,
                  int stride,
                  float* __restrict scale,
                  float* __restrict right)
{
    for (int c = 0; c < n; c++) {
        scale[c] = 1.0f / __builtin_sqrtf(precision[c]);
        right[c] = scale[c] * residual[c];
    }
    for (int c = n; c < stride; c++) {
        scale[c] = 1.0f;
        right[c] = 0.0f;
    }
}

} // namespace

gaussian_posterior::gaussian_posterior(int max_size)
    : d_rows(2 * static_cast<std::size_t>(max_size) * padded(max_size)),
      d_scale(padded(max_size)),
      d_right(padded(max_size))
{
}

void gaussian_posterior::solve(const float* gram,
                               int n,
                               const float* residual,
                               const float* precision,
                               float* deviation,
                               float* information)
{
    const int stride = padded(n);
    scale_kernel(residual, precision, n, stride, d_scale.data(), d_right.data());
    std::fill(information + n, information + stride, 1.0f);
    factor_kernel(gram, d_scale.data(), n, stride, d_rows.data(), information);
    solve_kernel(d_rows.data(), d_scale.data(), d_right.data(), n, stride, deviation, information);
}

} // namespace thzum
} // namespace gr
