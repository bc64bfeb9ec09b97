/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/quantiser.h"
#include <cmath>

namespace gr {
namespace thzum {

quantiser_moments moments_of_quantiser(int bits, double step)
{
    const int half = 1 << (bits - 1);
    const auto upper_tail = [](double x) { return 0.5 * std::erfc(x / std::sqrt(2.0)); };
    // E[x q(x)] = E[q'(x)] by Stein's lemma: every threshold is a jump by one step.
    double jumps = 1.0, square = 0.0;
    for (int i = 0; i < half; i++) {
        if (i > 0)
            jumps += 2.0 * std::exp(-0.5 * step * step * i * i);
        const double beyond = i + 1 < half ? upper_tail(step * (i + 1)) : 0.0;
        square += std::pow(step * (i + 0.5), 2) * 2.0 * (upper_tail(step * i) - beyond);
    }
    return { step * jumps / std::sqrt(2 * M_PI), square };
}

// At the optimum the error is orthogonal to the output, E[x q] = E[q^2]: thresholds lie midway
// between levels, so that only the levels' scale counts to first order.
double optimal_quantiser_step(int bits)
{
    const int half = 1 << (bits - 1);
    double low = 1.0 / half, high = 8.0 / half;
    for (int i = 0; i < 60; i++) {
        const double step = 0.5 * (low + high);
        const auto moments = moments_of_quantiser(bits, step);
        (moments.square < moments.cross ? low : high) = step;
    }
    return 0.5 * (low + high);
}

} // namespace thzum
} // namespace gr
