/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/false_alarm.h"
#include <cmath>

namespace gr {
namespace thzum {
namespace estimation {

double detection_threshold(double cells, int order, double false_alarm)
{
    const auto log_peaks = [=](double x) {
        return std::log(cells * M_PI / 6.0 * (2.0 * x - 2.0 * order + 1.0)) +
               (order - 1) * std::log(x) - x - std::lgamma(order);
    };
    // Past its largest value, near order + sqrt(order), it falls.
    double low = order + std::sqrt(double(order)), high = 2.0 * low;
    while (log_peaks(high) > std::log(false_alarm))
        high *= 2.0;
    constexpr int halvings = 60;
    for (int i = 0; i < halvings; ++i) {
        const double middle = 0.5 * (low + high);
        (log_peaks(middle) > std::log(false_alarm) ? low : high) = middle;
    }
    return high;
}

} // namespace estimation
} // namespace thzum
} // namespace gr
