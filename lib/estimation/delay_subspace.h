/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ESTIMATION_DELAY_SUBSPACE_H
#define INCLUDED_THZUM_ESTIMATION_DELAY_SUBSPACE_H

#include <gnuradio/gr_complex.h>
#include <volk/volk_alloc.hh>
#include <Eigen/Eigenvalues>
#include <vector>

namespace gr {
namespace thzum {
namespace estimation {

/*!
 * \brief Smoothing over subcarriers by the delays that a channel has.
 *
 * Over any window of subcarriers the responses of all antennas to L paths lie in one subspace of
 * dimension L, spanned by the turns exp(-j 2 pi f tau_l). Its covariance is averaged over antennas, over
 * the windows that fit into the band and, reversed and conjugated, over both directions of frequency
 * (spatial smoothing: Shan, Wax, Kailath, IEEE Trans. ASSP 1985; Pillai, Kwon 1989). Eigenvectors that
 * stand out of an error of the given variance are kept, each shrunk by its own share of it; the windows'
 * results are averaged. No delay is searched for, so closely spaced and diffuse ones do no harm.
 */
class delay_subspace
{
public:
    /*! \param length antennas of a subarray */
    delay_subspace(int subcarriers, int length);

    /*! Subcarriers of a window. */
    int window() const { return d_window; }

    /*!
     * \brief Smooth in place.
     * \param h antennas of one subarray at every subcarrier, \p stride values from one to the next
     * \param dimensions independent ones among their errors
     * \param error_variance of one antenna at one subcarrier
     * \returns the error variance expected to remain: what stands in the rejected eigenvectors is taken
     * for the part that is independent between subcarriers and falls to the filter's noise gain, the rest
     * for one that the filter cannot tell from the channel
     */
    double smooth(gr_complex* h, size_t stride, int dimensions, double error_variance);

private:
    void load(const gr_complex* h, size_t stride);
    void average_covariance();
    void build_filter(int dimensions, double error_variance);

    const int d_subcarriers, d_window, d_length;
    volk::vector<float> d_re, d_im;         // [F][length]
    volk::vector<float> d_filter;           // [F][re, im][F]
    Eigen::MatrixXcd d_cross, d_covariance; // [F][F], [window][window]
    Eigen::MatrixXcd d_projector;           // [window][window]
    Eigen::SelfAdjointEigenSolver<Eigen::MatrixXcd> d_solver;
    double d_floor = 0.0; // mean of the rejected eigenvalues
};

} // namespace estimation
} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ESTIMATION_DELAY_SUBSPACE_H */
