/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ESTIMATION_WAVE_SEARCH_H
#define INCLUDED_THZUM_ESTIMATION_WAVE_SEARCH_H

#include "estimation/direction_grid.h"
#include "estimation/path_fit.h"

namespace gr {
namespace thzum {
namespace estimation {

/*!
 * \brief The plane wave that explains most of a residual, on a grid over the visible disc.
 *
 * The metric is sum_s |a^H r_s|^2 / (a^H K_s a): the energy that the direction explains with a gain
 * of its own in every subarray. Numerators cost two small matrix products per subarray,
 * denominators are tabulated.
 */
class wave_search
{
public:
    wave_search(const pilot_gram& gram, const visible_region::sptr& region, double spacing);

    struct peak {
        double ux, uy; /*!< direction cosines */
        double energy;
    };

    /*!
     * \param re,im residual [S][stride], as path_fit::residual() gives it
     * \param off_grid at the top of a parabola through the grid's points, for callers that do not refine
     */
    peak strongest(const float* re, const float* im, bool off_grid = false);

    /*! Independent directions on the disc, for the false-alarm rate: its area in resolution cells.
     */
    double cells() const { return d_cells; }

private:
    wave_search(const pilot_gram& gram, const wave_atoms& atoms, double spacing);

    /*! \param rows,cols waves [point][coefficient] of the grid */
    void tabulate_energies(const pilot_gram& gram,
                           const std::vector<double>& rows,
                           const std::vector<double>& cols);

    const direction_grid d_grid;
    const int d_subarrays, d_stride;
    const int d_row_size, d_col_size; // coefficients
    const double d_cells;
    const int d_apart;                    // from real to imaginary parts of a row of coefficients
    volk::vector<float> d_row_waves;      // [row point, padded][coefficient]
    volk::vector<float> d_col_waves;      // [coefficient][width]
    volk::vector<float> d_inverse_energy; // [S][row point][width], zero outside the disc
    volk::vector<float> d_input, d_half, d_power;
};

} // namespace estimation
} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ESTIMATION_WAVE_SEARCH_H */
