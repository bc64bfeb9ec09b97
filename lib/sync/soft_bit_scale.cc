/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "sync/soft_bit_scale.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {

namespace {

constexpr double least_scale = 1.0 / 1024;
constexpr double largest_scale = 1024;
constexpr int halvings = 15; // of a range of 20 octaves: to 0.05 %

// Derivative by a of log P(right) = -log(1 + exp(-a margin)).
double slope(double margin, double a)
{
    return margin / (1.0 + std::exp(std::min(a * margin, 60.0)));
}

} // namespace

double soft_bit_scale(const float* margins, int n)
{
    double sum = 0.0;
    int count = 0;
    for (int i = 0; i < n; i++) {
        sum += std::abs(margins[i]);
        count += margins[i] != 0.0f;
    }
    if (count == 0)
        return 1.0;
    const double wrong = -sum / count;
    // The likelihood is concave in a, so its slope changes sign once.
    double low = std::log(least_scale), high = std::log(largest_scale);
    for (int step = 0; step < halvings; step++) {
        const double middle = 0.5 * (low + high), a = std::exp(middle);
        double total = slope(wrong, a);
        for (int i = 0; i < n; i++)
            total += slope(margins[i], a);
        (total > 0.0 ? low : high) = middle;
    }
    return std::exp(0.5 * (low + high));
}

} // namespace thzum
} // namespace gr
