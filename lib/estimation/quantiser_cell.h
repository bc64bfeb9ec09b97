/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ESTIMATION_QUANTISER_CELL_H
#define INCLUDED_THZUM_ESTIMATION_QUANTISER_CELL_H

#include <gnuradio/thzum/api.h>

namespace gr {
namespace thzum {
namespace estimation {

/*!
 * \brief Posterior of real samples before a mid-rise uniform quantiser, from the levels that came
 * out.
 *
 * A sample that is N(mean, deviation^2) beforehand and fell into the cell of its level, one step
 * wide and without end beyond the outermost thresholds, has a truncated Gaussian posterior. Its
 * moments are integrals over at most six deviations on either side of its mode, by Gauss-Legendre
 * quadrature of 16 nodes: to a few parts in 1e6 for any cell, also for one far from the mean or
 * much smaller than the deviation, where differences of error functions lose their digits.
 *
 * \param level [count] (k + 1/2) step with integer k
 * \param mean [count]
 * \param deviation > 0
 * \param step > 0
 * \param top the largest level
 * \param posterior [count] means; may be \p mean
 * \returns sum of the variances
 */
THZUM_API double cell_posterior(const float* level,
                                const float* mean,
                                float deviation,
                                float step,
                                float top,
                                float* posterior,
                                int count);

} // namespace estimation
} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ESTIMATION_QUANTISER_CELL_H */
