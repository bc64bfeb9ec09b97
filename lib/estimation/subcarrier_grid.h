/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ESTIMATION_SUBCARRIER_GRID_H
#define INCLUDED_THZUM_ESTIMATION_SUBCARRIER_GRID_H

#include <algorithm>
#include <vector>

namespace gr {
namespace thzum {
namespace estimation {

/*!
 * \brief Equidistant subcarriers, and the few frequencies from which all others follow.
 *
 * A plane wave over one subarray changes so little over the band that its coefficients, and their inner
 * products, are polynomials in frequency: they are computed at Chebyshev nodes and interpolated.
 */
struct subcarrier_grid {
    int count, nodes;
    std::vector<double> ratio;      /*!< [count] frequency over the carrier's */
    std::vector<double> place;      /*!< [count] from the middle of the band, in bands of count steps */
    std::vector<double> node_ratio; /*!< [nodes] */
    std::vector<double> weight;     /*!< [count][nodes] Lagrange weights */

    /*!
     * \param frequencies in Hz, positive and equidistant
     * \param aperture longest side of a subarray in wavelengths of the carrier
     * \throws std::invalid_argument where they are not
     */
    subcarrier_grid(const std::vector<double>& frequencies,
                    double carrier_frequency,
                    double aperture);

    double highest_ratio() const { return ratio.empty() ? 1.0 : std::max(ratio.front(), ratio.back()); }
};

} // namespace estimation
} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ESTIMATION_SUBCARRIER_GRID_H */
