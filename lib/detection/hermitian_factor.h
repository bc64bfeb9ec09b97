/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_DETECTION_HERMITIAN_FACTOR_H
#define INCLUDED_THZUM_DETECTION_HERMITIAN_FACTOR_H

#include "common/packet.h"
#include <gnuradio/gr_complex.h>
#include <complex>
#include <vector>

namespace gr {
namespace thzum {

/*!
 * \brief Normal equations of one channel: (H^H H + loading I) solved by Cholesky in double
 * precision.
 *
 * Double, because the Gram matrix squares the condition number of a channel that came in single
 * precision. Real and imaginary parts stand apart, rows are padded to whole registers.
 */
class hermitian_factor
{
public:
    /*! A column is called dependent on those before it when less than this part of its energy is
     * left. */
    static constexpr double dependence = 1e-12;

    /*! Columns rounded up to whole registers. */
    static constexpr int padded(int columns)
    {
        return (columns + double_lanes - 1) / double_lanes * double_lanes;
    }

    hermitian_factor(int n_rx, int max_columns);

    /*! Takes H [n_rx][n] and forms its Gram matrix. */
    void load(const gr_complex* H, int n);

    /*! Forms the Gram matrix again, which factor() has overwritten. */
    void form_gram();

    /*! Energy of all columns: trace of the Gram matrix. */
    double total_energy() const;

    /*! Gram matrix, [n][n]; valid until factor(). */
    std::complex<double> gram(int row, int column) const
    {
        const int at = row <= column ? row * d_stride + column : column * d_stride + row;
        return { d_re[at], row <= column ? d_im[at] : -d_im[at] };
    }

    /*! U^H U = Gram + loading I. \return false if a column is dependent on earlier ones */
    bool factor(double loading);

    /*! Inverse of Gram + loading I. Call after factor(). */
    void invert();

    /*! Distance of the rows of all matrices. */
    int stride() const { return d_stride; }

    /*! H, [n_rx][stride]. */
    const double* channel_re() const { return d_h_re.data(); }
    const double* channel_im() const { return d_h_im.data(); }

    /*! The inverse, [n][stride]; its columns past n are zero. */
    const double* inverse_re() const { return d_inverse_re.data(); }
    const double* inverse_im() const { return d_inverse_im.data(); }

private:
    int d_n_rx;
    int d_n = 0;
    int d_stride = 0;
    std::vector<double> d_h_re, d_h_im; // H, [n_rx][stride]
    std::vector<double> d_re, d_im;     // Gram matrix, then U: upper triangle of [n][stride]
    std::vector<double> d_smallest;     // [n] pivots below it mean dependence
    std::vector<double> d_lower_re, d_lower_im;     // U^-H, [n][stride]
    std::vector<double> d_inverse_re, d_inverse_im; // [n][stride]
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_DETECTION_HERMITIAN_FACTOR_H */
