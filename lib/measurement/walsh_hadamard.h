/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_MEASUREMENT_WALSH_HADAMARD_H
#define INCLUDED_THZUM_MEASUREMENT_WALSH_HADAMARD_H

namespace gr {
namespace thzum {

/*!
 * \brief Walsh-Hadamard transform in place, natural order, without scaling.
 *
 * x_i becomes sum_j (-1)^popcount(i & j) x_j. Twice in a row it multiplies by \p n.
 *
 * \param x [n][2]: n complex values as pairs of floats
 * \param n a power of two
 */
void walsh_hadamard(float* x, int n);

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_MEASUREMENT_WALSH_HADAMARD_H */
