/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "measurement/matrix_kernels.h"

namespace gr {
namespace thzum {

// Inner products of four rows with two columns: eight sums that stay in registers, six loads each
// step.
THZUM_MULTIVERSION
void multiply_columns(const float* __restrict m,
                      int rows,
                      int length,
                      const float* __restrict x,
                      int columns,
                      float* __restrict y)
{
    for (int r = 0; r < rows; r += row_multiple) {
        const float* m0 = m + r * length;
        const float* m1 = m0 + length;
        const float* m2 = m1 + length;
        const float* m3 = m2 + length;
        for (int c = 0; c < columns; c += 2) {
            const float* a = x + c * length;
            const float* b = a + length;
            float a0 = 0, a1 = 0, a2 = 0, a3 = 0, b0 = 0, b1 = 0, b2 = 0, b3 = 0;
            for (int i = 0; i < length; i++) {
                a0 += m0[i] * a[i];
                a1 += m1[i] * a[i];
                a2 += m2[i] * a[i];
                a3 += m3[i] * a[i];
                b0 += m0[i] * b[i];
                b1 += m1[i] * b[i];
                b2 += m2[i] * b[i];
                b3 += m3[i] * b[i];
            }
            float* ya = y + c * rows + r;
            float* yb = ya + rows;
            ya[0] = a0, ya[1] = a1, ya[2] = a2, ya[3] = a3;
            yb[0] = b0, yb[1] = b1, yb[2] = b2, yb[3] = b3;
        }
    }
}

// Four rows at a time are added to two columns, so that no sum runs across a vector register.
THZUM_MULTIVERSION
void multiply_columns_transposed(const float* __restrict m,
                                 int rows,
                                 int length,
                                 const float* __restrict y,
                                 int columns,
                                 float* __restrict x)
{
    for (int i = 0; i < columns * length; i++)
        x[i] = 0;
    for (int r = 0; r < rows; r += row_multiple) {
        const float* __restrict m0 = m + r * length;
        const float* __restrict m1 = m0 + length;
        const float* __restrict m2 = m1 + length;
        const float* __restrict m3 = m2 + length;
        for (int c = 0; c < columns; c += 2) {
            const float* ya = y + c * rows + r;
            const float* yb = ya + rows;
            const float a0 = ya[0], a1 = ya[1], a2 = ya[2], a3 = ya[3];
            const float b0 = yb[0], b1 = yb[1], b2 = yb[2], b3 = yb[3];
            float* __restrict xa = x + c * length;
            float* __restrict xb = xa + length;
            for (int i = 0; i < length; i++) {
                xa[i] += a0 * m0[i] + a1 * m1[i] + a2 * m2[i] + a3 * m3[i];
                xb[i] += b0 * m0[i] + b1 * m1[i] + b2 * m2[i] + b3 * m3[i];
            }
        }
    }
}

// Blocks of a fixed width: the compiler keeps each in registers, without a loop of its own.
THZUM_MULTIVERSION
void multiply_small(const float* __restrict a,
                    const float* __restrict b,
                    float* __restrict c,
                    int rows,
                    int inner,
                    int cols)
{
    for (int first = 0; first < cols; first += column_multiple) {
        for (int r = 0; r < rows; r++) {
            float* __restrict out = c + r * cols + first;
            for (int i = 0; i < column_multiple; i++)
                out[i] = 0;
            for (int k = 0; k < inner; k += row_multiple) {
                const float* factor = a + r * inner + k;
                const float a0 = factor[0], a1 = factor[1], a2 = factor[2], a3 = factor[3];
                const float* __restrict b0 = b + k * cols + first;
                const float* __restrict b1 = b0 + cols;
                const float* __restrict b2 = b1 + cols;
                const float* __restrict b3 = b2 + cols;
                for (int i = 0; i < column_multiple; i++)
                    out[i] += a0 * b0[i] + a1 * b1[i] + a2 * b2[i] + a3 * b3[i];
            }
        }
    }
}

THZUM_MULTIVERSION
void split_complex(const gr_complex* x, float* __restrict re, float* __restrict im, int n)
{
    const float* values = reinterpret_cast<const float*>(x);
    for (int i = 0; i < n; i++) {
        re[i] = values[2 * i];
        im[i] = values[2 * i + 1];
    }
}

THZUM_MULTIVERSION
void merge_complex(const float* __restrict re, const float* __restrict im, gr_complex* x, int n)
{
    float* values = reinterpret_cast<float*>(x);
    for (int i = 0; i < n; i++) {
        values[2 * i] = re[i];
        values[2 * i + 1] = im[i];
    }
}

THZUM_MULTIVERSION
void multiply_elements(const gr_complex* factor, const gr_complex* x, gr_complex* y, int n)
{
    const float* f = reinterpret_cast<const float*>(factor);
    const float* in = reinterpret_cast<const float*>(x);
    float* out = reinterpret_cast<float*>(y);
    for (int i = 0; i < 2 * n; i += 2) {
        const float re = f[i] * in[i] - f[i + 1] * in[i + 1];
        const float im = f[i] * in[i + 1] + f[i + 1] * in[i];
        out[i] = re;
        out[i + 1] = im;
    }
}

THZUM_MULTIVERSION
void multiply_elements(const float* factor, const gr_complex* x, gr_complex* y, int n)
{
    const float* in = reinterpret_cast<const float*>(x);
    float* out = reinterpret_cast<float*>(y);
    for (int i = 0; i < n; i++) {
        out[2 * i] = factor[i] * in[2 * i];
        out[2 * i + 1] = factor[i] * in[2 * i + 1];
    }
}

} // namespace thzum
} // namespace gr
