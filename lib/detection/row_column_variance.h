/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_DETECTION_ROW_COLUMN_VARIANCE_H
#define INCLUDED_THZUM_DETECTION_ROW_COLUMN_VARIANCE_H

#include "detection/real_model.h"

namespace gr {
namespace thzum {

/*!
 * \brief Cavity variances of a Gaussian posterior of the real model without an inverse.
 *
 * With V = |H|^2 d for posterior variances d, a column's cavity variance is
 * s = 1 / (|H|^2^T 1/(noise_var + V)) and d = 1 / (precision + 1/s): the variance recursion of
 * GAMP (Rangan, ISIT 2011) for Gaussian priors. Its fixed point is that of the true posterior in
 * large systems with independent entries.
 */
class row_column_variance
{
public:
    /*! \param model must outlive this object \param max_count vectors worked on at a time */
    row_column_variance(const real_model& model, int max_count);

    /*! Takes the model's present channel. */
    void set_channel();

    /*! One pass: new cavity variances from posterior variances, and new ones of these.
     * \param precision [count][column_stride] of the priors
     * \param variance [count][column_stride] posterior variances, in and out
     * \param cavity [count][column_stride] */
    void pass(const float* precision, int count, float* variance, float* cavity);

    /*! Posterior variances 1 / (precision + 1/cavity), [n]. */
    static void posterior(const float* precision, const float* cavity, int n, float* variance);

private:
    const real_model& d_model;
    std::vector<float> d_energy;            // |H|^2, [rows][column_stride]
    std::vector<float> d_energy_transposed; // [columns][row_stride]
    std::vector<float> d_row;               // [max_count][row_stride]
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_DETECTION_ROW_COLUMN_VARIANCE_H */
