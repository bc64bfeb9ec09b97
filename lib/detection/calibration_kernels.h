/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_DETECTION_CALIBRATION_KERNELS_H
#define INCLUDED_THZUM_DETECTION_CALIBRATION_KERNELS_H

namespace gr {
namespace thzum {

/*! One vector as the network is to see it; pointers to rows of n numbers. */
struct calibration_view {
    const float* r;
    const float* s;
    const float* x;
    const float* v;
    const float* residual;
    const float* mean;     // of the levels at r and s
    const float* variance; // likewise
    float log_variance;    // log of noise and scalar row variance
    float log_misfit;      // log of the mean square of residual / deviation
    float prior_variance;
};

/*! Mean of residual^2 / s over the first \p n. */
float mean_misfit(const float* residual, const float* s, int n);

/*! Logarithms of \p in. */
void logarithms(const float* in, int n, float* out);

/*!
 * \brief The features of a node that neither come from neighbours nor are states.
 * \param log_energy [n] \param odd [5][n] \param even [6][n]
 */
void own_features(
    const calibration_view& view, const float* log_energy, int n, float* odd, float* even);

/*! in / (1 + |in| / limit). */
void softsign(const float* in, float limit, int n, float* out);

/*! Calibration from three rows of the network's updates: shift, scale and kept part. */
struct calibration_rows {
    const float* shift;
    const float* scale;
    const float* damping;
};
void read_calibration(const calibration_rows& in, int n, float* shift, float* scale, float* keep);

/*! States moved by the network's updates, \p n numbers. */
void move_states(const float* updates, int n, float* states);

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_DETECTION_CALIBRATION_KERNELS_H */
