/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "symbol_posterior.h"
#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>

namespace gr {
namespace thzum {

float posterior_variance(const std::vector<gr_complex>& points, gr_complex x_hat, float variance)
{
    const std::complex<double> received(x_hat);
    double nearest = std::numeric_limits<double>::infinity();
    for (const auto& point : points)
        nearest = std::min(nearest, std::norm(received - std::complex<double>(point)));
    double weights = 0.0, energy = 0.0;
    std::complex<double> mean = 0.0;
    for (const auto& point : points) {
        const std::complex<double> x(point);
        const double weight = std::exp((nearest - std::norm(received - x)) / variance);
        weights += weight;
        mean += weight * x;
        energy += weight * std::norm(x);
    }
    mean /= weights;
    return static_cast<float>(std::max(energy / weights - std::norm(mean), 0.0));
}

} // namespace thzum
} // namespace gr
