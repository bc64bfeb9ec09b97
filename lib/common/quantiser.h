/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_COMMON_QUANTISER_H
#define INCLUDED_THZUM_COMMON_QUANTISER_H

#include <gnuradio/thzum/api.h>

namespace gr {
namespace thzum {

/*! E[x q(x)] and E[q(x)^2] of a mid-rise uniform quantiser q of 2^bits levels for x ~ N(0, 1). */
struct quantiser_moments {
    double cross, square;
};
THZUM_API quantiser_moments moments_of_quantiser(int bits, double step);

/*! Step that minimises the mean squared error for N(0, 1) (Max, IRE Trans. IT 1960). */
THZUM_API double optimal_quantiser_step(int bits);

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_COMMON_QUANTISER_H */
