/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_DETECTION_HERMITIAN_FACTOR_H
#define INCLUDED_THZUM_DETECTION_HERMITIAN_FACTOR_H

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
 * precision.
 */
class hermitian_factor
{
public:
    /*! A column is called dependent on those before it when less than this part of its energy is
     * left. */
    static constexpr double dependence = 1e-12;

    hermitian_factor(int n_rx, int max_columns);

    /*! Takes H [n_rx][n] and forms its Gram matrix. */
    void load(const gr_complex* H, int n);

    /*! Energy of all columns: trace of the Gram matrix. */
    double total_energy() const;

    /*! Gram matrix, [n][n]; its upper triangle is valid until factor(). */
    std::complex<double> gram(int row, int column) const;

    /*! U^H U = Gram + loading I. \return false if a column is dependent on earlier ones */
    bool factor(double loading);

    /*! Solves for inverse * H^H and the diagonal of the inverse. Call after factor(). */
    void solve();

    /*! Entry of inverse * H^H. */
    std::complex<double> filter(int row, int rx) const
    {
        const size_t at = static_cast<size_t>(row) * width() + rx;
        return { d_rhs_re[at], d_rhs_im[at] };
    }

    /*! Diagonal entry of the inverse. */
    double inverse_diagonal(int k) const { return d_inverse_diagonal[k]; }

private:
    int width() const { return d_n_rx + d_n; }

    int d_n_rx;
    int d_n = 0;
    std::vector<double> d_re, d_im;         // Gram matrix, then its factor: [n][n], upper triangle
    std::vector<double> d_rhs_re, d_rhs_im; // [n][n_rx + n]: H^H and the identity
    std::vector<double> d_inverse_diagonal;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_DETECTION_HERMITIAN_FACTOR_H */
