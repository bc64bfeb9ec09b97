/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/anderson.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

constexpr double farthest = 2.0; // sum of the factors' sizes
constexpr double parallel = 1e-6;

double inner(const gr_complex* a, const gr_complex* b, int n)
{
    double sum = 0.0;
    for (int i = 0; i < n; ++i)
        sum += double(a[i].real()) * b[i].real() + double(a[i].imag()) * b[i].imag();
    return sum;
}

} // namespace

anderson::anderson(int depth, int slots, int size)
    : d_depth(depth),
      d_size(size),
      d_columns(2 + 2 * depth),
      d_history(depth > 0 ? size_t(slots) * d_columns * size : 0),
      d_residual(depth > 0 ? size : 0),
      d_known(slots, 0)
{
}

void anderson::move(int from, int to)
{
    if (d_depth > 0)
        std::copy_n(column(from, 0), size_t(d_columns) * d_size, column(to, 0));
    d_known[to] = d_known[from];
}

// The oldest change is dropped.
void anderson::remember(int slot, const gr_complex* residual, const gr_complex* image)
{
    gr_complex* last_residual = column(slot, 0);
    gr_complex* last_image = column(slot, 1);
    if (d_known[slot] > 0) {
        for (int k = d_depth - 1; k > 0; --k)
            std::copy_n(residual_change(slot, k - 1), 2 * size_t(d_size), residual_change(slot, k));
        gr_complex* by_residual = residual_change(slot, 0);
        gr_complex* by_image = image_change(slot, 0);
        for (int i = 0; i < d_size; ++i) {
            by_residual[i] = residual[i] - last_residual[i];
            by_image[i] = image[i] - last_image[i];
        }
    }
    std::copy_n(residual, d_size, last_residual);
    std::copy_n(image, d_size, last_image);
    d_known[slot] = std::min(d_known[slot] + 1, d_depth + 1);
}

void anderson::next(int slot, gr_complex* x, const gr_complex* image)
{
    if (d_depth == 0) {
        std::copy_n(image, d_size, x);
        return;
    }
    for (int i = 0; i < d_size; ++i)
        d_residual[i] = image[i] - x[i];
    const gr_complex* f = d_residual.data();
    if (d_known[slot] > 0 && inner(f, f, d_size) > inner(column(slot, 0), column(slot, 0), d_size))
        reset(slot);
    remember(slot, f, image);

    const int steps = d_known[slot] - 1;
    double factor[largest_depth] = {};
    if (steps > 0) {
        const gr_complex* a = residual_change(slot, 0);
        const double aa = inner(a, a, d_size), af = inner(a, f, d_size);
        factor[0] = aa > 0.0 ? af / aa : 0.0;
        if (steps > 1) {
            const gr_complex* b = residual_change(slot, 1);
            const double bb = inner(b, b, d_size), ab = inner(a, b, d_size);
            const double bf = inner(b, f, d_size), volume = aa * bb - ab * ab;
            if (volume > parallel * aa * bb) {
                factor[0] = (bb * af - ab * bf) / volume;
                factor[1] = (aa * bf - ab * af) / volume;
            }
        }
    }
    std::copy_n(image, d_size, x);
    if (std::abs(factor[0]) + std::abs(factor[1]) > farthest)
        return;
    for (int k = 0; k < steps; ++k) {
        const auto share = static_cast<float>(factor[k]);
        const gr_complex* change = image_change(slot, k);
        for (int i = 0; i < d_size; ++i)
            x[i] -= share * change[i];
    }
}

} // namespace estimation
} // namespace thzum
} // namespace gr
