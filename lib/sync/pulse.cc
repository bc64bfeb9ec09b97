/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "sync/pulse.h"
#include <cmath>

namespace gr {
namespace thzum {

namespace {

// Root-raised-cosine pulse at t symbols, 1 / rolloff being where its bandwidth ends.
double root_raised_cosine(double t, double rolloff)
{
    const double edge = 4.0 * rolloff * t;
    if (std::abs(t) < 1e-9)
        return 1.0 - rolloff + 4.0 * rolloff / M_PI;
    if (std::abs(std::abs(edge) - 1.0) < 1e-9) {
        const double angle = M_PI / (4.0 * rolloff);
        return rolloff / std::sqrt(2.0) *
               ((1.0 + 2.0 / M_PI) * std::sin(angle) + (1.0 - 2.0 / M_PI) * std::cos(angle));
    }
    return (std::sin(M_PI * t * (1.0 - rolloff)) + edge * std::cos(M_PI * t * (1.0 + rolloff))) /
           (M_PI * t * (1.0 - edge * edge));
}

THZUM_MULTIVERSION
gr_complex filtered(const float* samples, const float* taps, int n_taps)
{
    float re = 0.0f, im = 0.0f;
    for (int i = 0; i < n_taps; i++) {
        re += samples[2 * i] * taps[i];
        im += samples[2 * i + 1] * taps[i];
    }
    return { re, im };
}

// Tap by tap over all outputs, so that the inner loop is long.
THZUM_MULTIVERSION
void filter_all(const float* samples, int count, const float* taps, int n_taps, float* out)
{
    for (int i = 0; i < 2 * count; i++)
        out[i] = 0.0f;
    for (int t = 0; t < n_taps; t++) {
        const float tap = taps[t];
        const float* from = samples + 2 * t;
        for (int i = 0; i < 2 * count; i++)
            out[i] += tap * from[i];
    }
}

} // namespace

pulse_bank::pulse_bank(double rolloff, int span, int samples_per_symbol)
    : d_reach(span * samples_per_symbol / 2),
      d_n_taps(2 * d_reach + 2),
      d_taps(size_t(fractions + 1) * d_n_taps)
{
    double energy = 0.0;
    for (int i = -d_reach; i <= d_reach; i++)
        energy += std::pow(root_raised_cosine(double(i) / samples_per_symbol, rolloff), 2);
    for (int f = 0; f <= fractions; f++)
        for (int i = 0; i < d_n_taps; i++) {
            const double t = i - d_reach - double(f) / fractions;
            if (std::abs(t) <= d_reach)
                d_taps[size_t(f) * d_n_taps + i] =
                    float(root_raised_cosine(t / samples_per_symbol, rolloff) / std::sqrt(energy));
        }
}

gr_complex pulse_bank::at(const gr_complex* samples, double instant) const
{
    const double whole = std::floor(instant);
    const int fraction = int(std::lround((instant - whole) * fractions));
    return filtered(
        reinterpret_cast<const float*>(samples + long(whole) - d_reach), taps(fraction), d_n_taps);
}

void pulse_bank::filter(const gr_complex* samples, int count, gr_complex* out, int fraction) const
{
    filter_all(reinterpret_cast<const float*>(samples - d_reach),
               count,
               taps(fraction),
               fraction == 0 ? d_n_taps - 1 : d_n_taps,
               reinterpret_cast<float*>(out));
}

} // namespace thzum
} // namespace gr
