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

/*!
 * Dimensions of whiten(y) that carry noise: all of them, except that common noise passes through
 * the combiner as the channel does and does not reach where the gain is zero.
 */
inline int noise_dimensions(const pilot_operator& op)
{
    const auto& gains = op.gains();
    const auto zeros = std::count(gains.begin(), gains.end(), 0.0f);
    const auto silent = op.model() == noise_model::common ? zeros : 0;
    return static_cast<int>(gains.size()) - static_cast<int>(silent);
}

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_MEASUREMENT_NOISE_DIMENSIONS_H */
