/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_MEASUREMENT_MATRIX_KERNELS_H
#define INCLUDED_THZUM_MEASUREMENT_MATRIX_KERNELS_H

#include <gnuradio/gr_complex.h>

namespace gr {
namespace thzum {

/*! Rows and row lengths of the matrices below are padded with zeros to multiples of these. */
constexpr int row_multiple = 4;
constexpr int column_multiple = 16;

/*!
 * y_c = M x_c for real columns; the number of columns is even.
 *
 * \param m [rows][length]
 * \param x [columns][length]
 * \param y [columns][rows]
 */
void multiply_columns(const float* m, int rows, int length, const float* x, int columns, float* y);

/*! x_c = M^T y_c, arguments as in multiply_columns(). */
void multiply_columns_transposed(
    const float* m, int rows, int length, const float* y, int columns, float* x);

/*!
 * C = A B of small row-major matrices; \p inner is a multiple of row_multiple, \p cols of
 * column_multiple.
 *
 * \param a [rows][inner]
 * \param b [inner][cols]
 * \param c [rows][cols]
 */
void multiply_small(const float* a, const float* b, float* c, int rows, int inner, int cols);

/*! Real and imaginary parts of \p n values. */
void split_complex(const gr_complex* x, float* re, float* im, int n);

/*! Reverse of split_complex(). */
void merge_complex(const float* re, const float* im, gr_complex* x, int n);

/*! y_i = factor_i x_i; y may be x. */
void multiply_elements(const gr_complex* factor, const gr_complex* x, gr_complex* y, int n);

/*! y_i = factor_i x_i for real factors; y may be x. */
void multiply_elements(const float* factor, const gr_complex* x, gr_complex* y, int n);

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_MEASUREMENT_MATRIX_KERNELS_H */
