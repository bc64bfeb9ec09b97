/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_CHANNEL_UPLINK_DELAYS_H
#define INCLUDED_THZUM_CHANNEL_UPLINK_DELAYS_H

#include <gnuradio/thzum/api.h>
#include <vector>

namespace gr {
namespace thzum {

/*! Longest delay of a path in samples. */
constexpr int max_uplink_delay = 1 << 16;

/*! Range of the length of the interpolation filter, which is even. */
constexpr int min_delay_taps = 4;
constexpr int max_delay_taps = 32;

/*! Samples that the filter has to see beyond the instant it interpolates at. */
inline int delay_latency(int taps) { return taps / 2 - 1; }

/*!
 * \brief Filter w with x(t - fraction) = sum_j w[j] x[t - j + latency]: a Kaiser-windowed sinc.
 *
 * Its design is that of gnuradio.thzum.channel.fractional_delay: accurate up to 0.75 of the Nyquist
 * frequency, the unit impulse for a fraction of zero.
 * \param fraction of a sample, 0 <= fraction < 1
 * \param weights [taps]
 */
THZUM_API void delay_filter(double fraction, int taps, float* weights);

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_CHANNEL_UPLINK_DELAYS_H */
