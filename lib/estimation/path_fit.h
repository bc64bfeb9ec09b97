/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ESTIMATION_PATH_FIT_H
#define INCLUDED_THZUM_ESTIMATION_PATH_FIT_H

#include "estimation/array_layout.h"
#include "estimation/pilot_gram.h"
#include "estimation/reduced_path.h"
#include "estimation/spherical_wave.h"
#include "estimation/wave_atoms.h"
#include <gnuradio/thzum/estimator.h>
#include <complex>
#include <vector>

namespace gr {
namespace thzum {
namespace estimation {

/*! Error over energy of a coherent path in a subarray without pilots, -7 dB: as measured with one
 * of four subarrays lost at 10 dB SNR. */
constexpr double continuation_error = 0.2;

/*!
 * \brief Least-squares fit of plane and spherical waves to the pilots of one channel.
 *
 * A path with free gains has one direction and a gain in each subarray. A coherent path has one
 * gain and a spherical wavefront, whose phase and direction at the middle of each subarray follow
 * from direction and distance. Gains are always at their optimum; directions and distances move by
 * damped Gauss-Newton steps on what remains after the gains are projected out (Golub and Pereyra,
 * SIAM J. Numer. Anal. 1973; Kaufman's approximation).
 *
 * As long as all gains are free, steps are those of Fisher scoring instead: the gradient is exact,
 * the matrix that of a receiver that sees all antennas, times the share of each path's energy that
 * the pilots see. It needs no Gram matrix, so that moving a path costs one column of it instead of
 * three.
 *
 * All inner products are kept between paths. Small moves need no others: a wave within a tenth of a
 * beam width of its columns is their first-order expansion, wave + du slope_u + dv slope_v. climb()
 * and move() leave paths so, recentre() places them exactly again; what speaks of single columns
 * (gain excepted), residual() and synthesize() hold for paths that stand at their columns.
 * Allocates at construction only.
 */
class THZUM_API path_fit
{
public:
    path_fit(observation_model::sptr model,
             const visible_region::sptr& region,
             array_layout layout,
             int max_paths);

    const array_layout& layout() const { return d_layout; }
    const pilot_gram& gram() const { return d_gram; }

    /*! Start over with the pilots z [S*r] of a channel, and no path. */
    void load(const gr_complex* z);

    int paths() const { return d_paths; }
    const fitted_path& path(int p) const { return d_path[p]; }

    /*! Put a path at place \p p, 0 <= p <= paths(); p = paths() adds one. */
    void set(int p, const fitted_path& path);

    /*! Put another path at place \p p, expanded about the columns of the old one where they serve.
     */
    void move(int p, const fitted_path& path);

    /*! Whether columns of path \p p serve for \p path. */
    bool reaches(int p, const fitted_path& path) const;

    /*! Place all paths exactly; solve() has to follow. */
    void recentre();

    /*! Take the last path away. */
    void drop_last() { --d_paths; }

    /*! Take a path away; the last one takes its place. */
    void remove(int p);

    /*! Paths moved by refine() since construction; a measure of the work done. */
    long moves() const { return d_moves; }

    /*! Optimal gains; returns the energy of the pilots that the paths explain. */
    double solve();

    /*! Gain of path \p p in subarray \p s after solve(), phase at the middle of the subarray. */
    std::complex<double> gain(int p, int s) const;

    /*! Gain of path \p p at the middle of the array if it is coherent, else in the first subarray.
     */
    std::complex<double> common_gain(int p) const { return d_gain[size_t(p) * d_subarrays]; }

    /*! Phase that a coherent path has at the middle of subarray \p s, over that of its gain. */
    double phase(const fitted_path& path, int s) const { return wave_at(d_layout, path, s).phase; }

    /*! Path \p p after solve(), as estimators report it. */
    path_estimate describe(int p) const;

    /*! Subarrays that the pilots see something of. */
    int live_subarrays() const { return d_live; }

    /*! Energy of the error to be expected in the other subarrays: all of a path with free gains,
     * which is not estimated there, and \ref continuation_error of a coherent one. */
    double unseen_energy() const;

    /*! Energy of path \p p in the pilots. */
    double pilot_energy(int p) const;

    /*! Energy of a path of unit gain in the subarrays that are seen, over what the pilots see of
     * it. */
    double energy_per_pilot_energy(int p) const;

    /*! Energy that a unit gain of path \p p gives the pilots of subarray \p s. */
    double energy(int p, int s) const { return inner(s, p, p).real(); }

    /*! Gains of all paths but \p p are eliminated from the normal equations; after
     * require_slopes(). */
    void reduce(int p, reduced_path* reduced);

    /*! Keep the inner products of slopes too, from here to the next load(). */
    void require_slopes();

    /*! Give them up, which makes placing cheaper. */
    void drop_slopes() { d_has_slopes = false; }

    /*! Energy that the paths explain, as the last solve(), climb() or refine() found it. */
    double explained() const { return d_explained; }

    /*!
     * \brief Move paths \p first to \p first + \p count - 1 uphill, at most \p steps times.
     * \param enough stop after a step that gains less than this energy
     * \returns the energy explained, as solve()
     */
    double climb(int first, int count, int steps, double enough);

    /*! climb() and recentre(). */
    double refine(int first, int count, int steps, double enough);

    /*! Matched filter b_s less what the paths explain of it: re, im [S][stride]. */
    void residual(float* re, float* im) const;

    /*! Coefficients [S*k] of the fitted channel. */
    void synthesize(gr_complex* c) const;

    /*!
     * \brief Expected energy of the fit's error in the channel, for noise of unit variance.
     *
     * Every real parameter costs half of the noise variance in the pilots, and a wave whose energy
     * the pilots see only a part of loses by as much in the channel.
     */
    double error_per_noise() const;

    /*! Complex unknowns: half of the real parameters of all paths. */
    double unknowns() const;

    /*! Largest curvature a path may have, in 1/wavelength. */
    void limit_curvature(double largest) { d_limits.curvature = largest; }

    const path_limits& limits() const { return d_limits; }

private:
    using complexd = std::complex<double>;

    static constexpr int columns_per_path = 3; // the wave and its two slopes

    /*! A path at one subarray: as it is, and the direction of its columns. */
    struct placed_wave {
        local_wave wave;
        complexd turn; // of the wave's phase
        double u, v;
    };

    /*! One unknown of the normal equations: the columns of its path, with factors. */
    struct unknown {
        int at; // in the equations
        complexd factor[3];
    };

    /*! Unknowns of one path: its gain, its slopes. */
    struct path_unknowns {
        int count;
        unknown entry[4];
    };

    int stride() const { return d_gram.stride(); }
    /*! Waves of all paths come first, then their slopes along u, then those along v. */
    int index(int p, int kind) const { return kind * d_room + p; }
    size_t column(int s, int index) const { return (size_t(s) * d_columns + index) * stride(); }
    int kinds() const { return d_has_slopes ? 3 : 1; }
    bool is_coherent() const;
    int real_parameters(int p) const { return d_path[p].coherent ? 5 : 2 + 2 * d_live; }
    complexd inner(int s, int i, int j) const
    {
        return d_inner[(size_t(s) * d_columns + i) * d_columns + j];
    }
    int parameters(int p) const { return d_path[p].coherent ? 3 : 2; }
    /*! From the direction of a path's columns to that of a wave. */
    double beam_widths(const placed_wave& columns, const local_wave& wave) const;
    double expansion(int p) const; // in beam widths
    bool any_expanded() const;
    void put(int first, int count, const fitted_path* paths, bool may_expand);
    placed_wave& placed(int p, int s) { return d_placed[size_t(p) * d_subarrays + s]; }
    const placed_wave& placed(int p, int s) const { return d_placed[size_t(p) * d_subarrays + s]; }
    /*! The waves of a path without its columns. */
    void expand(int p);
    /*! Columns and inner products of paths that have moved. */
    void place(int first, int count);
    void evaluate(int p, int s);
    void copy_columns(int p, int s, int first_kind);
    void update_products(int first, int count, int s, int first_kind);
    void project(int s, int first, int count, int first_kind);
    void update_matches(int s);
    unknown wave_unknown(int p, int s) const;
    unknown slope_unknown(int p, int s, int parameter) const;
    void list_unknowns(int s, int first, int count);
    void list_columns(int s, int p);
    void eliminate_coupled(int coupled, reduced_path* reduced) const;
    complexd* fill(int s, int size);
    /*! Normal equations with the free gains eliminated, then the coherent ones. */
    void eliminate_gains(int first, int count);
    void substitute_gains();
    void solve_free_gains();
    /*! Gradient and matrix of a step, exact or expected; they return the number of parameters. */
    int exact_system(int first, int count);
    int expected_system(int first, int count);
    void expected_slopes(int first, int count);
    void project_residual(int first, int count);
    bool try_step(int first, int count, int parameters, double damping, bool may_expand);

    const array_layout d_layout;
    pilot_gram d_gram;
    wave_atoms d_atoms;
    const int d_subarrays;
    int d_live = 0;
    const int d_room;     // for paths
    const int d_columns;  // room for three columns per path
    const int d_unknowns; // room for gains, slopes and the right-hand side
    path_limits d_limits;
    double d_explained = 0.0;
    int d_paths = 0;
    long d_moves = 0;
    int d_free = 0;            // paths with free gains
    bool d_has_slopes = false; // in d_inner
    std::vector<fitted_path> d_path, d_before, d_trial;
    std::vector<placed_wave> d_placed; // [path][S]
    volk::vector<float> d_wave;        // E: [S][column][stride]
    volk::vector<float> d_seen_re;     // K E of the waves, like d_wave
    volk::vector<float> d_seen_im;
    volk::vector<float> d_b;          // [S][re, im][stride]
    volk::vector<float> d_product_re; // K E of the columns that move
    volk::vector<float> d_product_im;
    volk::vector<float> d_in, d_out;      // scratch of products
    volk::vector<float> d_residual;       // [re, im][S, even][stride]
    std::vector<complexd> d_inner;        // E^H K E: [S][column][column]
    std::vector<complexd> d_match;        // E^H b: [S][column]
    std::vector<complexd> d_gain;         // [path][S]; coherent paths: the same in all
    std::vector<complexd> d_local;        // [S][unknown][unknown], upper triangles
    std::vector<complexd> d_shared;       // [unknown][unknown]
    std::vector<path_unknowns> d_unknown; // [path]
    std::vector<complexd> d_solution;
    std::vector<double> d_hessian, d_gradient, d_step;
    std::vector<double> d_overlap;     // of waves and slopes, as all antennas see them
    std::vector<double> d_wave_energy; // of each path of unit gain, as all antennas see it
    std::vector<complexd> d_weighted;  // [path][S]: gains as the pilots see them
};

} // namespace estimation
} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ESTIMATION_PATH_FIT_H */
