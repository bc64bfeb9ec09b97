/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "estimation/complex_matrix.h"
#include <algorithm>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

// y += a x for a column a.
THZUM_MULTIVERSION void add_column(const float* a_re,
                                   const float* a_im,
                                   float x_re,
                                   float x_im,
                                   float* y_re,
                                   float* y_im,
                                   int rows)
{
    for (int i = 0; i < rows; ++i) {
        y_re[i] += a_re[i] * x_re - a_im[i] * x_im;
        y_im[i] += a_re[i] * x_im + a_im[i] * x_re;
    }
}

} // namespace

complex_matrix::complex_matrix(int rows, int cols)
    : d_rows(rows),
      d_cols(cols),
      d_re(size_t(rows) * cols),
      d_im(size_t(rows) * cols),
      d_y_re(rows),
      d_y_im(rows)
{
}

void complex_matrix::set(int row, int col, gr_complex value)
{
    d_re[size_t(col) * d_rows + row] = value.real();
    d_im[size_t(col) * d_rows + row] = value.imag();
}

void complex_matrix::multiply(const gr_complex* x, gr_complex* y)
{
    std::fill(d_y_re.begin(), d_y_re.end(), 0.0f);
    std::fill(d_y_im.begin(), d_y_im.end(), 0.0f);
    for (int j = 0; j < d_cols; ++j) {
        const size_t begin = size_t(j) * d_rows;
        add_column(&d_re[begin],
                   &d_im[begin],
                   x[j].real(),
                   x[j].imag(),
                   d_y_re.data(),
                   d_y_im.data(),
                   d_rows);
    }
    for (int i = 0; i < d_rows; ++i)
        y[i] = gr_complex(d_y_re[i], d_y_im[i]);
}

} // namespace estimation
} // namespace thzum
} // namespace gr
