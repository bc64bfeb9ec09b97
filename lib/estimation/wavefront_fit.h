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
class wavefront_fit
{
public:
    wavefront_fit(const array_layout& layout, const path_limits& limits);

    /*! Energy of the pilots that all paths explain, this one coherent as in \p path. */
    double energy(const reduced_path& reduced, const fitted_path& path);

    /*! The same, with its gradient by ux, uy and curvature; \p gradient [3]. */
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

    static constexpr int columns = 4; // the wave, its slopes by ux, uy and curvature

    /*! Inner products of the columns with each other and with the pilots. */
    struct products {
        complexd inner[columns][columns]; // upper triangle
        complexd match[columns];
    };

    /*! The first \p count columns at \p path. */
    products evaluate(const reduced_path& reduced, const fitted_path& path, int count);

    const array_layout d_layout;
    const path_limits d_limits;
    long d_moves = 0;
    std::vector<complexd> d_column; // [S][columns][3]
};

} // namespace estimation
} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ESTIMATION_WAVEFRONT_FIT_H */
