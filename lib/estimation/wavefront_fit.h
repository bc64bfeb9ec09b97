/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ESTIMATION_WAVEFRONT_FIT_H
#define INCLUDED_THZUM_ESTIMATION_WAVEFRONT_FIT_H

#include "estimation/path_fit.h"

namespace gr {
namespace thzum {
namespace estimation {

/*!
 * \brief Least-squares fit of one coherent path, cheap enough for many starts.
 *
 * Works on the normal equations that path_fit::reduce() leaves for the path, with its wave in each
 * subarray expanded about the columns that stand there: no wave is evaluated and no pilot is looked
 * at again. Energies are those of path_fit as far as the expansion is exact. Allocates at
 * construction only.
 */
class THZUM_API wavefront_fit
{
public:
    wavefront_fit(const array_layout& layout, const path_limits& limits, int max_paths);

    /*!
     * \brief Energy of the pilots that all paths explain, this one coherent as in \p path.
     * \param gradient [3] by ux, uy and curvature
     */
    double energy(const reduced_path& reduced, const fitted_path& path, double* gradient);

    /*!
     * \brief Moves \p path uphill by damped Gauss-Newton steps.
     * \param steps at most
     * \param enough stop after a step that gains less than this energy
     * \returns the energy explained
     */
    double refine(const reduced_path& reduced, fitted_path* path, int steps, double enough);

    /*! Steps since construction. */
    long moves() const { return d_moves; }

private:
    using complexd = std::complex<double>;

    /*! Inner products of the wave and its slopes x_k by ux, uy and curvature. */
    struct products {
        double energy = 0.0;         // x^H M x, M the normal equations
        complexd match = 0.0;        // x^H m
        complexd wave_slope[3] = {}; // x^H M x_k
        complexd slope_match[3] = {};
        double slopes[3][3] = {}; // Re x_k^H M x_l, upper triangle

        double explained() const { return energy > 0.0 ? std::norm(match) / energy : 0.0; }
        complexd gain() const { return energy > 0.0 ? match / energy : 0.0; }
        /*! Half of the slope of explained() by parameter \p k. */
        double half_gradient(int k) const;
    };

    products evaluate(const reduced_path& reduced, const fitted_path& path);
    void add_subarray(const reduced_path& reduced, const fitted_path& path, int s, products* sums);

    const array_layout d_layout;
    const path_limits d_limits;
    long d_moves = 0;
    std::vector<complexd> d_tie; // [coupled][wave and slopes]
};

} // namespace estimation
} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ESTIMATION_WAVEFRONT_FIT_H */
