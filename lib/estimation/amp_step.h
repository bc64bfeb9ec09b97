/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ESTIMATION_AMP_STEP_H
#define INCLUDED_THZUM_ESTIMATION_AMP_STEP_H

#include <gnuradio/thzum/observation_model.h>
#include <vector>

namespace gr {
namespace thzum {
namespace estimation {

/*!
 * \brief Linear module of complex AMP (Donoho, Maleki and Montanari, PNAS 2009) in the singular
 * domain.
 *
 * AMP is derived for matrices with independent entries and columns of unit mean energy, so that
 * G = diag(s) V^H, z and the noise are divided by a = sqrt(sum s^2 / K) first. Then, with m
 * observations,
 *
 *     e  = z/a - (G/a) x + (K/m) div e_before,     r = x + (G/a)^H e,     tau2 = ||e||^2 / m,
 *
 * where div is the mean Wirtinger divergence of the denoiser at the iteration before (the Onsager
 * term). Allocates at construction; serves one thread.
 */
class amp_step
{
public:
    amp_step(observation_model::sptr model, int max_batch);

    /*!
     * \brief One linear half for \p batch items.
     * \param z [batch][S*r] of the observation model
     * \param x [batch][K]
     * \param divergence [batch] of the denoiser before; 0 at first
     * \param damping share of e_before that stays, 0 to 1
     * \param e [batch][S*r] in: e_before, zeros at first; out: e
     * \param r [batch][K]; may not alias x
     * \param tau2 [batch] variance of the error of one coefficient of r
     */
    void run(const gr_complex* z,
             const gr_complex* x,
             const float* divergence,
             float damping,
             int batch,
             gr_complex* e,
             gr_complex* r,
             float* tau2);

private:
    observation_model::sptr d_model;
    std::vector<float> d_sigma; // of G / a
    int d_observed;             // m, the singular values above zero
    float d_column_norm;        // a
    std::vector<gr_complex> d_projected;
};

} // namespace estimation
} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ESTIMATION_AMP_STEP_H */
