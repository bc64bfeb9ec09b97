/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_MEASUREMENT_NOISE_DIMENSIONS_H
#define INCLUDED_THZUM_MEASUREMENT_NOISE_DIMENSIONS_H

#include <gnuradio/thzum/pilot_operator.h>
#include <algorithm>

namespace gr {
namespace thzum {

/*! Dimensions of whiten(y) that carry noise. */
inline int noise_dimensions(const pilot_operator& op)
{
    const auto& reached = op.noise_reaches();
    return static_cast<int>(std::count(reached.begin(), reached.end(), 1));
}

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_MEASUREMENT_NOISE_DIMENSIONS_H */
