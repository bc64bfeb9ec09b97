/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_DETECTION_MOMENT_MATCHING_H
#define INCLUDED_THZUM_DETECTION_MOMENT_MATCHING_H

namespace gr {
namespace thzum {

/*!
 * \brief Moves the Gaussian that stands for the prior of an amplitude towards the one that, with
 * the cavity, has the moments of the true posterior (Cespedes et al. 2014).
 *
 * A prior that would need a negative precision stays what it is.
 *
 * \param r, v [n] cavity mean and variance
 * \param mean, variance [n] moments of the posterior
 * \param new_part weight of the new prior
 * \param precision, shift [n] the prior: 1/variance and mean/variance
 */
void match_moments(const float* r,
                   const float* v,
                   const float* mean,
                   const float* variance,
                   float new_part,
                   int n,
                   float* precision,
                   float* shift);

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_DETECTION_MOMENT_MATCHING_H */
