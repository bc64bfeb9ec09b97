/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ESTIMATION_OBSERVATION_SCALER_H
#define INCLUDED_THZUM_ESTIMATION_OBSERVATION_SCALER_H

#include "estimation/noise_level.h"
#include <gnuradio/thzum/observation_model.h>
#include <memory>
#include <vector>

namespace gr {
namespace thzum {
namespace estimation {

/*! \throws std::invalid_argument unless all are positive and finite */
void require_noise_variances(const float* noise_var, int batch);

/*!
 * \brief Loads pilots into the singular domain at unit channel power.
 *
 * With z = diag(sigma) V^H c + n and a channel of power P per antenna spread evenly over its K
 * coefficients, E||z||^2 = P (N/K) sum sigma^2 + r noise_var over the r singular values above zero.
 * Solved for P, it gives the scale at which every estimator works, so that a gain in front of the
 * receiver cancels.
 */
class observation_scaler
{
public:
    /*! \param spacing, noise_paths of noise_level */
    observation_scaler(observation_model::sptr model, double spacing, int noise_paths, int max_batch);

    const observation_model::sptr& model() const { return d_model; }
    int max_batch() const { return d_max_batch; }

    /*!
     * \brief Load up to max_batch() items; those of all-zero y are left out.
     * \param y [batch][M]
     * \param noise_var [batch] or nullptr to estimate it
     * \returns the number of items that are not zero
     * \throws std::invalid_argument for a noise_var that is not positive
     *
     * The first call that is to estimate it makes the noise_level, which most receivers never need.
     */
    int load(const gr_complex* y, const float* noise_var, int batch);

    /*! Observations at unit channel power, [loaded][S*r]; free to be overwritten until load(). */
    gr_complex* z() { return d_z.data(); }

    /*! Noise variance at that scale, [loaded]; free to be overwritten until load(). */
    float* scaled_noise_var() { return d_scaled_noise_var.data(); }

    /*! Which item of the batch a loaded one is. */
    int item(int loaded) const { return d_item[loaded]; }

    /*! Factor that takes a unit-power estimate back to the receiver's scale. */
    float amplitude(int loaded) const { return d_amplitude[loaded]; }

    /*! Antenna noise variance in use, given or estimated, [batch]. */
    float noise_var(int item) const { return d_noise_var[item]; }

private:
    void estimate_noise(const gr_complex* y, int batch);

    observation_model::sptr d_model;
    const double d_spacing;
    const int d_noise_paths;
    const int d_max_batch;
    std::unique_ptr<noise_level> d_noise_level;
    int d_length;          // singular values of all subarrays, S * r
    int d_observed;        // those above zero
    double d_channel_gain; // (N / K) sum sigma^2
    std::vector<gr_complex> d_z;
    std::vector<float> d_noise_var, d_scaled_noise_var, d_amplitude;
    std::vector<int> d_item;
};

} // namespace estimation
} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ESTIMATION_OBSERVATION_SCALER_H */
