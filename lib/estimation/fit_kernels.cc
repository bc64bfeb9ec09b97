/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "estimation/fit_kernels.h"

namespace gr {
namespace thzum {
namespace estimation {

namespace {

using complexd = std::complex<double>;

constexpr double singular = 1e-10; // pivots below this share of the diagonal say nothing new

double conjugate(double x) { return x; }
complexd conjugate(const complexd& x) { return std::conj(x); }

using estimation::multiply;
double multiply(double a, double b) { return a * b; }

template <typename number>
void eliminate_first(number* m, int width, int size, int count, int rows)
{
    for (int k = 0; k < count; ++k) {
        const number* pivot_row = m + size_t(k) * width;
        const double pivot = std::real(pivot_row[k]);
        if (!(pivot > 0.0))
            continue;
        for (int i = k + 1; i < rows; ++i) {
            const number factor = conjugate(pivot_row[i]) / pivot;
            number* row = m + size_t(i) * width;
            for (int j = i; j < size; ++j)
                row[j] -= multiply(factor, pivot_row[j]);
            if (i < count && std::real(row[i]) < singular * pivot)
                row[i] = 0.0;
        }
    }
}

} // namespace

void eliminate(complexd* m, int width, int size, int count, int rows)
{
    eliminate_first(m, width, size, count, rows);
}

void eliminate(complexd* m, int width, int size, int count)
{
    eliminate_first(m, width, size, count, size);
}

void eliminate(double* m, int width, int size, int count)
{
    eliminate_first(m, width, size, count, size);
}

complexd back_substitute(const complexd* m, int width, int size, int k, const complexd* solution)
{
    const complexd* row = m + size_t(k) * width;
    if (!(row[k].real() > 0.0))
        return 0.0;
    complexd sum = row[size - 1];
    for (int j = k + 1; j < size - 1; ++j)
        sum -= multiply(row[j], solution[j]);
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
