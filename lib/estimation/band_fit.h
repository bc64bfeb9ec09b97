/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ESTIMATION_BAND_FIT_H
#define INCLUDED_THZUM_ESTIMATION_BAND_FIT_H

#include "estimation/array_layout.h"
#include "estimation/pilot_gram.h"
#include "estimation/subcarrier_grid.h"
#include "estimation/wave_atoms.h"
#include <complex>
#include <vector>

namespace gr {
namespace thzum {
namespace estimation {

/*! Direction of a path over the band; its delays are kept beside it. */
struct band_path {
    double ux, uy;    /*!< direction cosines, at the middle of the array */
    double curvature; /*!< inverse distance of the source in 1/wavelength of the carrier */
};

/*!
 * \brief Least-squares fit of waves to the pilots of all subcarriers of one channel.
 *
 * A path has one direction in space, so that its phase from element to element grows with frequency
 * (beam squint). Its gain is free in each subarray. Over the band it either turns with one delay per
 * subarray, exp(-j 2 pi x_f tau), or is free in each subcarrier too. Where the places of the subarrays
 * are known, a spherical wavefront tilts the direction from one subarray to the next.
 *
 * Gains are always at their optimum; everything else moves by damped Gauss-Newton steps on what remains
 * after the gains are projected out, as in path_fit. Inner products of waves are kept at a few
 * frequencies and interpolated, so that a step hardly depends on the number of subcarriers. Allocates at
 * construction only.
 */
class band_fit
{
public:
    band_fit(observation_model::sptr model,
             const visible_region::sptr& region,
             array_layout layout,
             const subcarrier_grid& grid,
             bool has_delays,
             int max_paths);

    const pilot_gram& gram() const { return d_gram; }

    /*!
     * \brief Start over with the pilots of a channel, and no path.
     * \param z [F][S*r]
     * \param measured [F], false for a subcarrier that says nothing
     */
    void load(const gr_complex* z, const std::vector<char>& measured);

    int paths() const { return d_paths; }
    const band_path& path(int p) const { return d_path[p]; }

    /*! Delays [S] of a path, relative to the middle of the band, in inverse bands. */
    const double* delays(int p) const { return &d_delay[size_t(p) * d_subarrays]; }

    /*! Put a path at place \p p, 0 <= p <= paths(). \param delay [S] */
    void set(int p, const band_path& path, const double* delay);

    /*! Optimal gains; returns the energy of the pilots that the paths explain. */
    double solve();

    /*! Gain after solve(), phase at the middle of the subarray and, with delays, of the band. */
    std::complex<double> gain(int p, int s, int f) const
    {
        return d_gain[(size_t(p) * d_subarrays + s) * d_blocks + (d_blocks > 1 ? f : 0)];
    }

    /*! Move all paths uphill, at most \p steps times or until a step gains less than \p enough; returns
     * the energy explained. */
    double refine(int steps, double enough);

    /*! Matched filter less what the paths explain of it: re, im [S][F][stride]. */
    void residual(float* re, float* im) const;

    /*! Coefficients [F][S*k] of the fitted channel. */
    void synthesize(gr_complex* c) const;

    /*! Expected energy of the fit's error in the channel of all subcarriers, for noise of unit
     * variance; see path_fit::error_per_noise(). */
    double error_per_noise() const;

    /*! Largest curvature a path may have, in 1/wavelength. */
    void limit_curvature(double largest) { d_max_curvature = largest; }

private:
    using complexd = std::complex<double>;

    /*! Sums over a block of subcarriers of x_f^m conj(e_p) e_q times inner products of waves. */
    struct pair_products {
        complexd still[3][3]; // m = 0
        complexd once[3][3];  // m = 1, where one of the waves is not a slope
        complexd twice;       // m = 2, wave by wave
    };

    int stride() const { return d_gram.stride(); }
    int subcarriers() const { return d_grid.count; }
    int slopes() const { return d_has_delays ? 3 : 2; }
    int parameters() const { return 2 + (d_is_curved ? 1 : 0) + (d_has_delays ? d_subarrays : 0); }
    size_t column(int s, int node, int index) const
    {
        return ((size_t(s) * d_grid.nodes + node) * d_columns + index) * stride();
    }
    complexd inner(int s, int node, int i, int j) const
    {
        return d_inner[((size_t(s) * d_grid.nodes + node) * d_columns + i) * d_columns + j];
    }
    const complexd* turns(int p, int s) const
    {
        return &d_turn[(size_t(p) * d_subarrays + s) * subcarriers()];
    }
    complexd& free_gain(int p, int s, int block)
    {
        return d_gain[(size_t(p) * d_subarrays + s) * d_blocks + block];
    }

    void local_direction(const band_path& path, int s, double* ux, double* uy) const;
    void update_waves(int p, int s);
    void update_products(int p, int s);
    void update_matches(int p, int s);
    pair_products products(int p, int q, int s, int block, bool with_slopes) const;
    void fill_gains(int s, int block, bool with_slopes, int width);
    void fill_slopes(int s, int block, int p, int q, const pair_products& sums, int width);
    void fill_matches(int s, int block, bool with_slopes, int width);
    void linearise();
    void scatter(int s, int width);
    bool try_step(double damping);

    const array_layout d_layout;
    const subcarrier_grid d_grid;
    const bool d_has_delays, d_is_curved;
    pilot_gram d_gram;
    wave_atoms d_atoms;
    const int d_subarrays;
    const int d_blocks;  // gains of a path in one subarray: 1, or one per subcarrier
    const int d_columns; // room for three columns per path
    double d_max_curvature = 0.0;
    double d_explained = 0.0;
    int d_paths = 0;
    std::vector<char> d_measured;
    std::vector<band_path> d_path, d_path_before;
    std::vector<double> d_delay, d_delay_before; // [path][S]
    std::vector<complexd> d_turn;                // [path][S][F] exp(-j 2 pi x_f tau)
    volk::vector<float> d_wave;                  // [S][node][column][stride]
    volk::vector<float> d_seen_re, d_seen_im;    // K times d_wave
    volk::vector<float> d_b;                     // [S][F][re, im][stride]
    volk::vector<float> d_b_one;                 // [S][re, im][stride]
    volk::vector<float> d_in, d_out, d_at;       // scratch of products
    std::vector<complexd> d_inner;               // [S][node][column][column]
    std::vector<complexd> d_match;               // [path][S][F][3]
    std::vector<complexd> d_gain;                // [path][S][block]
    std::vector<complexd> d_local, d_solution;
    std::vector<double> d_solution_delay; // [S]
    std::vector<double> d_hessian, d_gradient, d_step;
};

} // namespace estimation
} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ESTIMATION_BAND_FIT_H */
