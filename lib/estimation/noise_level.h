/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ESTIMATION_NOISE_LEVEL_H
#define INCLUDED_THZUM_ESTIMATION_NOISE_LEVEL_H

#include "estimation/path_fit.h"
#include "estimation/wave_search.h"
#include "measurement/block_matrix.h"
#include <memory>
#include <vector>

namespace gr {
namespace thzum {
namespace estimation {

/*! Paths that noise_level takes out of the pilots unless told otherwise. */
constexpr int default_noise_paths = 12;

/*!
 * \brief Antenna noise variance from the pilots of one channel alone.
 *
 * Waves of all directions, equally likely over the visible disc, give the whitened pilots the
 * covariance R = G B J B^H G with J_mn = 2 J_1(x) / x, x = 2 pi spacing |m - n|. Its eigenvalues l_i
 * fall over many decades even where there are fewer pilots than the visible region has dimensions, and
 * pilots in the basis of its eigenvectors have the energies
 *
 *     E|w_i|^2 = tau l_i + noise_var (1 - e_i),
 *
 * tau the power of the channel. Both unknowns are fitted by maximum likelihood (Fisher scoring). That is
 * done twice: on the pilots, which gives the level down to which paths are sought, and on what the
 * paths leave, where tau is the power of whatever they do not explain and e_i what fitting them took of
 * the noise. There tau is zero unless the likelihood speaks clearly against it, and then every pilot
 * tells the noise, not only those that waves do not reach.
 *
 * Allocates at construction only.
 */
class noise_level
{
public:
    /*!
     * \param spacing element spacing in wavelengths
     * \param max_paths sought at most; 0 leaves that step out, which costs accuracy and saves most of
     *        the time
     */
    noise_level(const pilot_operator::sptr& op, double spacing, int max_paths);

    /*! The estimate of pilots y [M]; 0 for all-zero y. */
    double estimate(const gr_complex* y);

private:
    /*! The two unknowns and what speaks for them. */
    struct variances {
        double channel, noise, log_likelihood;
    };

    struct path_removal {
        path_fit fit;
        wave_search search;
        path_removal(const observation_model::sptr& model,
                     const visible_region::sptr& region,
                     double spacing,
                     int max_paths);
    };

    void factorize(double spacing);
    void prepare_removal(double spacing, int max_paths);
    /*! Energies of \p u [S*R] in the eigenbasis, those that noise reaches. */
    void read_energies(const gr_complex* u);
    /*! Finds paths in d_u and leaves in it what they do not explain; returns their number. */
    int remove_paths(const gr_complex* y, double noise_var);
    void set_shares(int paths);
    variances noise_alone() const;
    variances fit_both(double noise_var) const;

    pilot_operator::sptr d_op;
    int d_live; // subarrays that are heard
    block_matrix d_rotation;
    std::vector<int> d_place;           // of each eigenvector that noise reaches, among S*R
    std::vector<double> d_eigenvalue;   // [reached]
    double d_eigenvalue_sum;
    std::vector<double> d_energy;       // [reached]
    std::vector<double> d_share;        // 1 - e_i, [reached]
    observation_model::sptr d_model;
    std::unique_ptr<path_removal> d_removal;
    int d_max_paths;
    double d_threshold;
    std::vector<gr_complex> d_y, d_u, d_rotated, d_z, d_c, d_h, d_seen;
    volk::vector<float> d_re, d_im;
};

} // namespace estimation
} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ESTIMATION_NOISE_LEVEL_H */
