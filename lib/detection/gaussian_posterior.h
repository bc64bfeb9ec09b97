/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_DETECTION_GAUSSIAN_POSTERIOR_H
#define INCLUDED_THZUM_DETECTION_GAUSSIAN_POSTERIOR_H

#include <vector>

namespace gr {
namespace thzum {

/*!
 * \brief Posterior of x with likelihood exp(-x^T G x / 2 + b^T x) and independent Gaussian priors
 * of means m and precisions p.
 *
 * The covariance is (G + diag p)^-1 = D (I + D G D)^-1 D with D = diag p^(-1/2): the matrix in the
 * middle has no eigenvalue below 1, whatever the channel, so single precision does. Both results
 * are what the likelihood adds to the prior, and keep their digits when that is little.
 */
class gaussian_posterior
{
public:
    explicit gaussian_posterior(int max_size);

    /*!
     * \param gram G, [n][padded(n)], zero in the padding
     * \param residual b - G m, [padded(n)]
     * \param precision p > 0, [padded(n)]
     * \param deviation [padded(n)] posterior mean - m
     * \param information [padded(n)] 1 - p * posterior variance, in [0, 1)
     */
    void solve(const float* gram,
               int n,
               const float* residual,
               const float* precision,
               float* deviation,
               float* information);

private:
    std::vector<float> d_rows;  // [n][2 padded(n)]: factor U of U^T U, and U^-T beside it
    std::vector<float> d_scale; // D, [padded(n)]
    std::vector<float> d_right; // D residual
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_DETECTION_GAUSSIAN_POSTERIOR_H */
