/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_DETECTION_AXIS_POSTERIOR_H
#define INCLUDED_THZUM_DETECTION_AXIS_POSTERIOR_H

#include <vector>

namespace gr {
namespace thzum {

/*!
 * \brief Mean and variance of an amplitude that is one of \p levels, equally likely, given
 * r = amplitude + Gaussian noise of variance v.
 *
 * \param r, v [n], n a multiple of lanes; v > 0
 * \param mean, variance [n]
 */
void axis_posterior(const std::vector<float>& levels,
                    const float* r,
                    const float* v,
                    int n,
                    float* mean,
                    float* variance);

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_DETECTION_AXIS_POSTERIOR_H */
