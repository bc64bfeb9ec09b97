/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "channel/uplink_delays.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {

namespace {

// Modified Bessel function of the first kind and order zero, by its power series.
double bessel_i0(double x)
{
    double sum = 1.0, term = 1.0;
    for (int k = 1; term > 1e-17 * sum; k++) {
        term *= (0.5 * x / k) * (0.5 * x / k);
        sum += term;
    }
    return sum;
}

// Kaiser's rules for a transition from 0.75 to 1.25 of the Nyquist frequency (Oppenheim and
// Schafer, Discrete-Time Signal Processing, section 7.5.3).
double kaiser_beta(int taps)
{
    const double attenuation = 8.0 + 2.285 * 0.5 * M_PI * taps;
    if (attenuation > 50.0)
        return 0.1102 * (attenuation - 8.7);
    const double excess = std::max(attenuation - 21.0, 0.0);
    return 0.5842 * std::pow(excess, 0.4) + 0.07886 * excess;
}

double sinc(double x) { return x == 0.0 ? 1.0 : std::sin(M_PI * x) / (M_PI * x); }

} // namespace

void delay_filter(double fraction, int taps, float* weights)
{
    const int half = taps / 2;
    const double beta = kaiser_beta(taps);
    for (int j = 0; j < taps; j++) {
        const double distance = j - delay_latency(taps) - fraction;
        const double inside = std::max(1.0 - distance * distance / (double(half) * half), 0.0);
        const double window = bessel_i0(beta * std::sqrt(inside)) / bessel_i0(beta);
        weights[j] = fraction == 0.0 ? float(distance == 0.0) : float(sinc(distance) * window);
    }
}

} // namespace thzum
} // namespace gr
