/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_DETECTION_GRAM_AMP_H
#define INCLUDED_THZUM_DETECTION_GRAM_AMP_H

#include "detection/real_model.h"
#include <volk/volk_alloc.hh>

namespace gr {
namespace thzum {

/*!
 * \brief Approximate message passing on the Gram matrix, for many vectors of one channel, with a
 * calibration of its estimates that others may set.
 *
 * With A = H^T H / diag and the row variance one scalar, AMP for a real amplitude (Donoho, Maleki,
 * Montanari 2009; for detection, Jeon et al., "Optimality of large MIMO detection via approximate
 * message passing", ISIT 2015) needs no product with H: the residual seen by the columns is
 * e = A_y - A x, Onsager's term is its own past, q = e + q' V / (noise + V'), and the estimate is
 * r = x + q. Its variance s is taken column by column instead of from V: what noise and the
 * variances of the others leave behind, noise / h^2 + sum of A_kj^2 v_j.
 *
 * All numbers are in units of half the distance of two levels, so that levels are odd integers.
 * Before levels are weighed, r is moved by shift standard deviations and s multiplied by scale;
 * keep is the part of the new mean and variance that is taken over.
 */
class gram_amp
{
public:
    /*! Rows of a vector's state, [pitch] each. */
    enum row { matched, x, v, memory, residual, shift, scale, keep, r, s, best_r, best_s, n_rows };

    /*! \param model must outlive this object \param levels of the constellation, any order
     * \param max_count vectors worked on at a time */
    gram_amp(const real_model& model, const std::vector<float>& levels, int max_count);

    /*! Takes the model's present channel. */
    void set_channel();

    /*! Begins with vectors \p y [count][row_stride]. */
    void start(const float* y, int count);

    /*! Begins anew with vector \p b, what is remembered of it kept; the part \p taken of new means
     * and variances is taken over. */
    void restart(int b, float taken);

    /*! One step of all vectors: estimate, calibration, levels. */
    void step(int count);

    /*! First half of a step, without calibration: residual, memory, r and s. */
    void linear_step(int count);

    /*! Second half: calibrates r and s, weighs the levels, takes the new mean and variance over. */
    void weigh(int b);

    /*! Mean and variance of the levels as r and s stand, [pitch] each. */
    void posterior(int b, float* mean, float* variance) const;

    /*! Sum over the others of A_kj in[c][j], or of its square: [count][pitch] each. */
    void couple(const float* in, int count, float* out) const;
    void couple_squared(const float* in, int count, float* out) const;

    /*! Expected number of wrong amplitudes of vector \p b, between weigh() and remember(). */
    float expected_errors(int b) const;

    /*! Takes r and s as best_r and best_s unless an earlier call of this did with levels that
     * explain the received vector better: those nearest to r, by the distance of y from H times
     * them. \return whether it took them */
    bool remember(int b);

    /*! What the levels nearest to best_r leave of y, less what noise leaves on average, in standard
     * deviations of the latter. */
    float excess(int b) const;

    /*! Overwrites vector \p to with vector \p from. */
    void move(int from, int to);

    float* at(int b, row i) { return &d_state[(static_cast<size_t>(b) * n_rows + i) * d_pitch]; }
    const float* at(int b, row i) const
    {
        return &d_state[(static_cast<size_t>(b) * n_rows + i) * d_pitch];
    }

    /*! Amplitudes of a row, padding included; the same for all channels. */
    int pitch() const { return d_pitch; }

    /*! Half the distance of two levels. */
    float unit() const { return d_unit; }

    float noise_var() const { return d_noise_var; }
    float prior_variance() const { return d_prior; }

    /*! Energies of the columns, 1 in the padding. */
    const float* energy() const { return d_energy.data(); }

    /*! Scalar row variance V of vector \p b. */
    float spread(int b) const { return d_spread[b]; }

private:
    const real_model& d_model;
    int d_pitch;
    float d_unit;
    float d_prior;
    std::vector<float> d_levels; // in units
    float d_noise_var = 1.0f;    // in units^2
    std::vector<float> d_gram;
    volk::vector<float> d_coupling; // A_kj at [j][k], 0 on the diagonal and in the padding
    volk::vector<float> d_squared;  // its square
    volk::vector<float> d_energy;
    volk::vector<float> d_weight; // energy over rows, 0 in the padding
    volk::vector<float> d_noise;  // noise_var / energy
    volk::vector<float> d_state;  // [max_count][n_rows][pitch]
    volk::vector<float> d_sum, d_variance_sum;
    std::vector<float> d_spread;
    std::vector<float> d_distance; // that belongs to best_r and best_s, less the energy of y
    std::vector<float> d_received; // energy of y
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_DETECTION_GRAM_AMP_H */
