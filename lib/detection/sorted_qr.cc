/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "detection/sorted_qr.h"
#include <algorithm>
#include <cmath>
#include <numeric>

namespace gr {
namespace thzum {

namespace {

THZUM_MULTIVERSION
double inner_product(const double* a, const double* b, int n)
{
    double sum = 0.0;
    for (int i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

THZUM_MULTIVERSION
void subtract(const double* a, double factor, int n, double* __restrict b)
{
    for (int i = 0; i < n; i++)
        b[i] -= factor * a[i];
}

} // namespace

sorted_qr::sorted_qr(const real_model& model)
    : d_columns(static_cast<size_t>(model.max_columns()) * (model.rows() + model.max_columns())),
      d_energy(model.max_columns()),
      d_full_r(static_cast<size_t>(model.max_columns()) * model.max_columns()),
      d_order(model.max_columns()),
      d_r(static_cast<size_t>(model.max_columns()) * model.max_column_stride()),
      d_q(static_cast<size_t>(model.rows()) * model.max_column_stride())
{
}

/*! Swaps the column with the least energy left among those from i on to place i. */
void sorted_qr::bring_smallest(int i, int n)
{
    const auto from = d_energy.begin() + i;
    const int smallest = i + static_cast<int>(std::min_element(from, d_energy.begin() + n) - from);
    if (smallest == i)
        return;
    const size_t length = d_columns.size() / d_order.size();
    std::swap_ranges(
        &d_columns[i * length], &d_columns[i * length] + length, &d_columns[smallest * length]);
    std::swap(d_energy[i], d_energy[smallest]);
    std::swap(d_order[i], d_order[smallest]);
    for (int row = 0; row < i; row++)
        std::swap(d_full_r[row * n + i], d_full_r[row * n + smallest]);
}

void sorted_qr::factor(const real_model& model, double loading)
{
    const int n = model.columns(), rows = model.rows(), stride = model.column_stride();
    const size_t length = d_columns.size() / d_order.size();
    std::iota(d_order.begin(), d_order.begin() + n, 0);
    std::fill(d_full_r.begin(), d_full_r.end(), 0.0);
    for (int i = 0; i < n; i++) {
        double* column = &d_columns[i * length];
        std::fill_n(column, length, 0.0);
        for (int row = 0; row < rows; row++)
            column[row] = model.matrix()[row * stride + i];
        column[rows + i] = std::sqrt(loading);
        d_energy[i] = inner_product(column, column, static_cast<int>(length));
    }
    for (int i = 0; i < n; i++) {
        bring_smallest(i, n);
        double* column = &d_columns[i * length];
        const double norm = std::sqrt(inner_product(column, column, static_cast<int>(length)));
        d_full_r[i * n + i] = norm;
        for (size_t k = 0; k < length; k++)
            column[k] /= norm;
        for (int j = i + 1; j < n; j++) {
            double* other = &d_columns[j * length];
            const double part = inner_product(column, other, static_cast<int>(length));
            d_full_r[i * n + j] = part;
            subtract(column, part, static_cast<int>(length), other);
            d_energy[j] -= part * part;
        }
    }
    std::fill(d_q.begin(), d_q.end(), 0.0f);
    std::fill(d_r.begin(), d_r.end(), 0.0f);
    for (int i = 0; i < n; i++) {
        for (int row = 0; row < rows; row++)
            d_q[row * stride + i] = static_cast<float>(d_columns[i * length + row]);
        for (int j = i; j < n; j++)
            d_r[i * stride + j] = static_cast<float>(d_full_r[i * n + j]);
    }
}

} // namespace thzum
} // namespace gr
