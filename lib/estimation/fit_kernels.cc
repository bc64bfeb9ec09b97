/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/fit_kernels.h"
#include "common/multiversion.h"

namespace gr {
namespace thzum {
namespace estimation {

namespace {

using complexd = std::complex<double>;

constexpr double singular = 1e-10; // pivots below this share of the diagonal say nothing new

} // namespace

void eliminate(complexd* m, int width, int size, int count)
{
    for (int k = 0; k < count; ++k) {
        complexd* pivot_row = m + size_t(k) * width;
        const double pivot = pivot_row[k].real();
        if (!(pivot > 0.0))
            continue;
        for (int i = k + 1; i < size; ++i) {
            const complexd factor = std::conj(pivot_row[i]) / pivot;
            complexd* row = m + size_t(i) * width;
            for (int j = i; j < size; ++j)
                row[j] -= factor * pivot_row[j];
            if (i < count && row[i].real() < singular * pivot)
                row[i] = 0.0;
        }
    }
}

complexd back_substitute(const complexd* m, int width, int size, int k, const complexd* solution)
{
    const complexd* row = m + size_t(k) * width;
    if (!(row[k].real() > 0.0))
        return 0.0;
    complexd sum = row[size - 1];
    for (int j = k + 1; j < size - 1; ++j)
        sum -= row[j] * solution[j];
    return sum / row[k].real();
}

THZUM_MULTIVERSION
void subtract_scaled(float a,
                     float b,
                     const float* __restrict x,
                     const float* __restrict y,
                     float* __restrict re,
                     float* __restrict im,
                     int n)
{
    for (int i = 0; i < n; ++i) {
        re[i] -= a * x[i];
        im[i] -= b * x[i];
    }
    if (y)
        for (int i = 0; i < n; ++i) {
            re[i] += b * y[i];
            im[i] -= a * y[i];
        }
}

} // namespace estimation
} // namespace thzum
} // namespace gr
