/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_DETECTION_AMP_LINEAR_H
#define INCLUDED_THZUM_DETECTION_AMP_LINEAR_H

#include "detection/real_model.h"

namespace gr {
namespace thzum {

/*!
 * \brief Linear module of approximate message passing on the real model, with a variance for every
 * row and column.
 *
 * As in He et al., "Message passing meets graph neural networks: a new paradigm for massive MIMO
 * systems", IEEE Trans. Wireless Commun. 2024, which is sum-product GAMP (Rangan, ISIT 2011) for
 * Gaussian noise: matrix-vector products with H and with its elementwise square, nothing is solved
 * or factored. The caller puts its own estimator between the steps.
 */
class amp_linear
{
public:
    /*! \param model must outlive this object \param max_count vectors worked on at a time */
    amp_linear(const real_model& model, int max_count);

    /*! Takes the model's present channel. */
    void set_channel();

    /*! Begins with new vectors \p y [count][row_stride], which must stay there. */
    void start(const float* y, int count);

    /*!
     * \brief One step: extrinsic estimates from the present ones.
     * \param x, v [count][column_stride] estimate and its variance
     * \param new_part [count] weight of the new residual and row variance, (0, 1]; 1 = no damping;
     * without effect in the first step
     * \param r, s [count][column_stride] amplitude + error, and the variance of the error
     */
    void step(const float* x, const float* v, const float* new_part, float* r, float* s);

private:
    const real_model& d_model;
    const float* d_y = nullptr;
    int d_count = 0;
    bool d_is_first = true;
    std::vector<float> d_energy;            // |H|^2, [rows][column_stride]
    std::vector<float> d_energy_transposed; // [columns][row_stride]
    std::vector<float> d_mean, d_variance;  // W and V, [max_count][row_stride]
    std::vector<float> d_residual;          // (y - W) / (noise_var + V)
    std::vector<float> d_precision;         // 1 / (noise_var + V)
    std::vector<float> d_new_mean, d_new_variance;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_DETECTION_AMP_LINEAR_H */
