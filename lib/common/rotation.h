/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_COMMON_ROTATION_H
#define INCLUDED_THZUM_COMMON_ROTATION_H

#include <gnuradio/gr_complex.h>
#include <cmath>

namespace gr {
namespace thzum {

/*! values[i] *= exp(2j pi (start + i cycles)), exact at every 64th value. */
inline void rotate(gr_complex* values, int count, double start, double cycles)
{
    constexpr int tile = 64;
    const gr_complex step(std::polar(1.0, 2 * M_PI * cycles));
    for (int first = 0; first < count; first += tile) {
        gr_complex turn(std::polar(1.0, 2 * M_PI * std::remainder(start + first * cycles, 1.0)));
        const int last = first + tile < count ? first + tile : count;
        for (int i = first; i < last; i++) {
            values[i] *= turn;
            turn *= step;
        }
    }
}

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_COMMON_ROTATION_H */
