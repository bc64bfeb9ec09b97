/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ESTIMATION_LINEAR_STEP_H
#define INCLUDED_THZUM_ESTIMATION_LINEAR_STEP_H

#include <gnuradio/thzum/observation_model.h>
#include <algorithm>
#include <string>
#include <vector>

namespace gr {
namespace thzum {
namespace estimation {

/*! Which linear estimate the step is built on. */
enum class linear_kind { lmmse, matched, pinv };

/*! Names of linear_kind, in its order. */
const std::vector<std::string>& linear_kind_names();

/*! The kind of a name among linear_kind_names(). */
linear_kind linear_kind_of(const std::string& name);

/*! The divergence alpha as the divergence-free message (D - alpha r) / (1 - alpha) uses it: a
 * denoiser that passes everything leaves no extrinsic information, so alpha is kept within 0 to
 * 0.95. */
inline float bounded_divergence(float alpha) { return std::min(std::max(alpha, 0.0f), 0.95f); }

/*!
 * \brief Linear module of OAMP (Ma and Ping, IEEE Access 2017) in the singular domain.
 *
 * From coefficients x with white error of variance v and observations z = diag(s) V^H c + n,
 *
 *     r = x + eta V diag(w) (z - diag(s) V^H x),   eta = K / sum_i w_i s_i,
 *
 * with w_i = s_i v / (s_i^2 v + noise_var) (LMMSE), s_i (matched filter) or 1 / s_i
 * (pseudo-inverse). The scale eta makes the trace of the error's transfer matrix I - eta V diag(w
 * s) V^H zero, so the error of r is uncorrelated with that of x. Its variance per coefficient, over
 * errors white before V, is
 *
 *     tau2 = (1/K) (v ||I - eta V diag(w s) V^H||_F^2 + noise_var eta^2 sum w_i^2)
 *          = (eta^2 / K) sum_i w_i^2 (s_i^2 v + noise_var) - v,
 *
 * where ||.||_F^2 = K - 2 eta sum w s + eta^2 sum w^2 s^2 and eta sum w s = K. With the LMMSE
 * choice w (s^2 v + noise_var) = s v, the sum is v K / eta and tau2 = v (eta - 1).
 *
 * v is read off the residual: E||z - diag(s) V^H x||^2 = v sum s^2 + r noise_var over the r
 * singular values above zero (z is expected to be zero at the others), floored at \ref
 * variance_floor times noise_var, far below the spread noise_var / sqrt(r) of that reading and low
 * enough to act as "x is exact", where the LMMSE step is the matched filter.
 *
 * With one group all of an item's error is taken for white. Subarrays do not mix in the pilots, so with
 * a group for each subarray all of the above holds in each, with a v, eta and tau2 of its own; that is
 * what an array needs whose subarrays hear unequal power. A subarray without any pilots does not count in K, and
 * its r is x.
 *
 * Channels have unit power per antenna. Allocates at construction; serves one thread.
 */
class linear_step
{
public:
    static constexpr double variance_floor = 1e-3;

    /*! \param groups 1, or the number of subarrays */
    linear_step(observation_model::sptr model, linear_kind kind, int max_batch, int groups = 1);

    int groups() const { return d_groups; }

    const observation_model::sptr& model() const { return d_model; }

    /*! Coefficients K = S * k. */
    int coefficients() const { return d_model->coefficients(); }

    /*! v at x = 0: a channel of unit power per antenna, all of it in the dictionary's span. */
    double prior_variance() const;

    /*! tau2 of a group for given v and noise variance: the linear half of the state evolution. */
    double output_variance(double v, double noise_var, int group = 0);

    /*!
     * \brief r and tau2 for \p batch items.
     * \param z [batch][S*r]
     * \param noise_var [batch], > 0
     * \param x [batch][K], or nullptr for all zero
     * \param r [batch][K]; may not alias x
     * \param tau2 [batch][groups] variance of the error of one coefficient of r
     */
    void run(const gr_complex* z,
             const float* noise_var,
             const gr_complex* x,
             int batch,
             gr_complex* r,
             float* tau2);

private:
    /*! Fills a group's d_weights with w, before the scale eta. */
    void set_weights(double v, double noise_var, int group);
    /*! eta of the present weights; 0 where the pilots see nothing. */
    double normalisation(int group) const;
    /*! Variance of x's error from the energy of the residual. */
    double error_variance(double energy, double noise_var, bool from_zero, int group) const;

    observation_model::sptr d_model;
    const linear_kind d_kind;
    const int d_groups, d_length; // singular values of a group
    std::vector<double> d_gain;   // sum s^2 [group]
    std::vector<int> d_observed;  // singular values above zero [group]
    std::vector<int> d_seen;      // coefficients of subarrays with such ones [group]
    std::vector<float> d_weights;
    std::vector<gr_complex> d_singular;
};

} // namespace estimation
} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ESTIMATION_LINEAR_STEP_H */
