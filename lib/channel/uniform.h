/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_CHANNEL_UNIFORM_H
#define INCLUDED_THZUM_CHANNEL_UNIFORM_H

#include <gnuradio/gr_complex.h>
#include <cmath>
#include <random>

namespace gr {
namespace thzum {

/*! Uniform on [0, 1) from 53 bits. The distributions of the standard library differ between
 * implementations; its generators do not. */
inline double uniform(std::mt19937_64& generator) { return double(generator() >> 11) * 0x1p-53; }

/*! White complex Gaussian noise of unit variance (Box and Muller, Ann. Math. Stat. 1958). */
inline gr_complex complex_gaussian(std::mt19937_64& generator)
{
    const float radius = float(std::sqrt(-std::log(1.0 - uniform(generator))));
    const float angle = float(2.0 * M_PI * uniform(generator));
    return gr_complex(radius * std::cos(angle), radius * std::sin(angle));
}

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_CHANNEL_UNIFORM_H */
