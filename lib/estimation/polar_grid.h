/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ESTIMATION_POLAR_GRID_H
#define INCLUDED_THZUM_ESTIMATION_POLAR_GRID_H

#include "estimation/direction_grid.h"
#include "estimation/path_fit.h"

namespace gr {
namespace thzum {
namespace estimation {

/*! How finely the polar domain is sampled. */
struct polar_sampling {
    double oversampling;  /*!< directions per resolution cell of the whole array, on each axis */
    double max_curvature; /*!< in 1/wavelength, of the nearest distance ring */
    double ring_cycles;   /*!< phase from one ring to the next at the array's edge, in cycles */
};

/*!
 * \brief Spherical waves over the whole array on a grid of directions and distances, the polar
 * domain (Cui and Dai, IEEE Trans. Commun. 2022).
 *
 * Directions are uniform in the direction cosines, as fine as the whole aperture resolves; rings
 * are uniform in inverse distance. Ring 0 holds the plane waves. The search takes the direction at
 * the middle of the array for that inside every subarray, the phases at the subarrays' middles
 * being exact; the path that comes of it has both exact.
 */
class polar_grid
{
public:
    /*! \param fit whose pilots and layout the grid is for
     *  \throws std::invalid_argument when the grid would be too large */
    polar_grid(const path_fit& fit,
               const visible_region::sptr& region,
               const polar_sampling& sampling);

    int rings() const { return static_cast<int>(d_curvature.size()); }

    /*! Directions of a ring. */
    int directions() const { return d_directions; }

    struct peak {
        fitted_path path;
        double energy;
    };

    /*!
     * \brief The wave on \p count rings from \p first that explains most of a residual.
     * \param re,im [S][stride], as path_fit::residual() gives it
     */
    peak strongest(const float* re, const float* im, int first, int count);

private:
    polar_grid(const path_fit& fit, const wave_atoms& atoms, const polar_sampling& sampling);

    /*! \param rows,cols waves [point][coefficient] of the grid */
    void tabulate_energies(const pilot_gram& gram,
                           const std::vector<double>& rows,
                           const std::vector<double>& cols);
    void tabulate_phases(const path_fit& fit);
    size_t line(int table, int row) const
    {
        return (size_t(table) * d_grid.rows() + row) * d_grid.width();
    }

    const int d_subarrays, d_stride;
    const int d_row_size, d_col_size;      // coefficients
    const std::vector<double> d_curvature; // [ring]
    const direction_grid d_grid;
    volk::vector<float> d_row_waves; // [row point][coefficient]
    volk::vector<float> d_col_waves; // [coefficient][width]
    int d_directions = 0;
    volk::vector<float> d_inverse_energy;     // [row][width], zero outside the disc
    volk::vector<float> d_turn_re, d_turn_im; // conjugate phases [ring][S][row][width]
    volk::vector<float> d_half_re, d_half_im; // [S][row][column coefficient]
    volk::vector<float> d_out_re, d_out_im;   // [width]
    volk::vector<float> d_sum_re, d_sum_im;   // [ring][width]
};

} // namespace estimation
} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ESTIMATION_POLAR_GRID_H */
