/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/unexplained_energy.h"
#include <cmath>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

constexpr double share = 0.2; // of estimates whose model breaks
constexpr double mean = 3.0;  // of their unexplained energy, in spreads
constexpr double far_below = -5.0;

} // namespace

// With x = m + N(0, 1) and m exponential, m given x is a normal variable of mean t = x - 1 / mean and
// variance 1, cut off at zero.
double unexplained_energy(double excess, double spread)
{
    const double x = excess / spread, t = x - 1.0 / mean;
    if (t < far_below)
        return 0.0;
    const double cumulative = 0.5 * std::erfc(-t / std::sqrt(2.0));
    const double density = std::exp(-0.5 * t * t) / std::sqrt(2.0 * M_PI);
    const double log_odds = std::log(share / (1.0 - share) / mean * cumulative) + 0.5 * t * t +
                            0.5 * std::log(2.0 * M_PI);
    const double probability = 1.0 / (1.0 + std::exp(-log_odds));
    return spread * probability * (t + density / cumulative);
}

} // namespace estimation
} // namespace thzum
} // namespace gr
