/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_SYNC_GAMMA_QUANTILE_H
#define INCLUDED_THZUM_SYNC_GAMMA_QUANTILE_H

#include <cmath>

namespace gr {
namespace thzum {

/*!
 * \brief Quantile of a Gamma distribution over its mean (Wilson and Hilferty 1931).
 * \param shape of the distribution; a chi-square one has half its degrees of freedom
 * \param normal_quantile the same quantile of the standard normal distribution
 */
inline double gamma_quantile(double shape, double normal_quantile)
{
    const double variance = 1.0 / (9.0 * shape);
    return std::pow(1.0 - variance + normal_quantile * std::sqrt(variance), 3.0);
}

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_SYNC_GAMMA_QUANTILE_H */
