/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ESTIMATION_DIRECTION_GRID_H
#define INCLUDED_THZUM_ESTIMATION_DIRECTION_GRID_H

#include "estimation/wave_atoms.h"
#include <vector>

namespace gr {
namespace thzum {
namespace estimation {

/*!
 * \brief A grid over the direction cosines of both axes of a subarray, evenly from -1 to 1.
 *
 * Tables of its columns are padded to \ref width points, so that kernels have no remainders.
 */
class direction_grid
{
public:
    /*! \param row_points,col_points odd */
    direction_grid(const wave_atoms& atoms, int row_points, int col_points);

    /*! As many points as it takes for \p per_beam of them in a resolution cell of one subarray, 1 /
     * (elements spacing) wide; a single one, 0, along an axis of one element. */
    direction_grid(const wave_atoms& atoms, double spacing, double per_beam);

    int rows() const { return static_cast<int>(d_row.size()); }
    int cols() const { return static_cast<int>(d_col.size()); }
    int width() const { return d_width; }

    /*! Direction cosines along the rows' axis, uy, and along the columns', ux. */
    double row_cosine(int p) const { return d_row[p]; }
    double col_cosine(int q) const { return d_col[q]; }

    /*! On the visible disc, or so close to its rim that waves at the rim are found. */
    bool is_visible(int p, int q) const;

    /*! Waves [point][coefficient] of elements \p spacing wavelengths apart. */
    std::vector<double> row_waves(double spacing) const;
    std::vector<double> col_waves(double spacing) const;

    /*! \p waves of col_waves() as [coefficient][width], with zeros past the last point. */
    std::vector<float> padded(const std::vector<double>& waves) const;

private:
    wave_atoms d_atoms;
    std::vector<double> d_row, d_col; // cosines
    int d_width;
};

/*! Independent directions on the visible disc of one subarray: its area in resolution cells. */
double resolution_cells(const wave_atoms& atoms, double spacing);

} // namespace estimation
} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ESTIMATION_DIRECTION_GRID_H */
