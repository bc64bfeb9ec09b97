/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_DETECTION_REAL_MODEL_H
#define INCLUDED_THZUM_DETECTION_REAL_MODEL_H

#include "detection/batch_product.h"
#include "detection/constellation.h"

namespace gr {
namespace thzum {

/*!
 * \brief y = H x + n in real numbers, at a mean energy of 1 per complex column.
 *
 * Rows: real parts of the n_rx samples, then imaginary parts. Columns: in-phase amplitudes of the
 * users, then quadrature amplitudes; for BPSK one column per user, its axis turned onto the
 * diagonal, so that the detector knows that half of the plane is empty.
 *
 * The noise is kept within min_noise_var and max_noise_var, where single precision is sound. Above,
 * a detector is a linear one: y is scaled down with the noise variance, and gain() takes estimates
 * and error variances back, which leaves LLRs as they are.
 */
class real_model
{
public:
    static constexpr double min_noise_var = 1e-6;
    static constexpr double max_noise_var = 1e3;

    real_model(int n_rx, int max_users, int axes);

    /*! \param H [n_rx][users] \param noise_var of a complex sample */
    void load(const gr_complex* H, int users, float noise_var);

    int axes() const { return d_axes; }
    int users() const { return d_users; }
    int rows() const { return 2 * d_n_rx; }
    int columns() const { return d_axes * d_users; }
    int row_stride() const { return padded(rows()); }
    int column_stride() const { return padded(columns()); }

    int max_columns() const { return d_axes * d_max_users; }
    int max_column_stride() const { return padded(max_columns()); }

    /*! H, [rows][column_stride], zero in the padding. */
    const float* matrix() const { return d_matrix.data(); }

    /*! H transposed, [columns][row_stride], zero in the padding. */
    const float* transposed() const { return d_transposed.data(); }

    /*! Noise variance of a row. */
    float noise_var() const { return d_noise_var; }

    /*! E|x|^2 of a column. */
    float prior_variance() const { return 1.0f / d_axes; }

    /*! Factor on x_hat and on its error variance, see above. */
    double gain() const { return d_gain; }

    /*! Received vectors \p y [count][n_rx] as \p out [count][row_stride]. */
    void load_received(const gr_complex* y, int count, float* out) const;

    /*! Gram matrix H^T H summed in double precision, [columns][column_stride], zero in the padding.
     */
    void gram(std::vector<float>& out) const;

private:
    void set(int row, int column, double value);

    int d_n_rx;
    int d_max_users;
    int d_axes;
    int d_users = 0;
    double d_scale = 1.0;
    double d_gain = 1.0;
    float d_noise_var = 1.0f;
    std::vector<float> d_matrix;
    std::vector<float> d_transposed;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_DETECTION_REAL_MODEL_H */
