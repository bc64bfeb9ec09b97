/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ESTIMATION_COMPLEX_MATRIX_H
#define INCLUDED_THZUM_ESTIMATION_COMPLEX_MATRIX_H

#include <gnuradio/gr_complex.h>
#include <vector>

namespace gr {
namespace thzum {
namespace estimation {

/*! Dense complex matrix for products with vectors, by columns with real and imaginary parts apart.
 */
class complex_matrix
{
public:
    complex_matrix() : d_rows(0), d_cols(0) {}
    complex_matrix(int rows, int cols);

    int rows() const { return d_rows; }
    int cols() const { return d_cols; }
    void set(int row, int col, gr_complex value);

    /*! y = A x. */
    void multiply(const gr_complex* x, gr_complex* y);

private:
    int d_rows, d_cols;
    std::vector<float> d_re, d_im; // [col][row]
    std::vector<float> d_y_re, d_y_im;
};

} // namespace estimation
} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ESTIMATION_COMPLEX_MATRIX_H */
