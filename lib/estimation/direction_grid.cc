/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/direction_grid.h"
#include "measurement/matrix_kernels.h"
#include "measurement/padding.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

constexpr double rim = 1.02; // of the disc

int points_of(int elements, double spacing, double per_beam)
{
    return elements > 1 ? 2 * static_cast<int>(std::ceil(per_beam * elements * spacing)) + 1 : 1;
}

std::vector<double> cosines(int points)
{
    std::vector<double> values(points, 0.0);
    for (int p = 0; p < points && points > 1; ++p)
        values[p] = 2.0 * p / (points - 1) - 1.0;
    return values;
}

} // namespace

direction_grid::direction_grid(const wave_atoms& atoms, int row_points, int col_points)
    : d_atoms(atoms),
      d_row(cosines(row_points)),
      d_col(cosines(col_points)),
      d_width(round_up(col_points, column_multiple))
{
}

direction_grid::direction_grid(const wave_atoms& atoms, double spacing, double per_beam)
    : direction_grid(atoms,
                     points_of(atoms.rows(), spacing, per_beam),
                     points_of(atoms.cols(), spacing, per_beam))
{
}

bool direction_grid::is_visible(int p, int q) const
{
    return std::hypot(d_col[q], d_row[p]) <= rim;
}

std::vector<double> direction_grid::row_waves(double spacing) const
{
    const int size = d_atoms.row_size();
    std::vector<double> waves(d_row.size() * size), slope(size);
    for (size_t p = 0; p < d_row.size(); ++p)
        d_atoms.row_axis(d_row[p] * spacing, &waves[p * size], slope.data());
    return waves;
}

std::vector<double> direction_grid::col_waves(double spacing) const
{
    const int size = d_atoms.col_size();
    std::vector<double> waves(d_col.size() * size), slope(size);
    for (size_t q = 0; q < d_col.size(); ++q)
        d_atoms.col_axis(d_col[q] * spacing, &waves[q * size], slope.data());
    return waves;
}

std::vector<float> direction_grid::padded(const std::vector<double>& waves) const
{
    const int size = d_atoms.col_size();
    std::vector<float> table(size_t(size) * d_width, 0.0f);
    for (size_t q = 0; q < d_col.size(); ++q)
        for (int j = 0; j < size; ++j)
            table[size_t(j) * d_width + q] = static_cast<float>(waves[q * size + j]);
    return table;
}

double resolution_cells(const wave_atoms& atoms, double spacing)
{
    const double across = std::max(1.0, 2.0 * spacing * atoms.rows());
    const double along = std::max(1.0, 2.0 * spacing * atoms.cols());
    return across * along * M_PI / 4.0;
}

} // namespace estimation
} // namespace thzum
} // namespace gr
