/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ESTIMATION_FIT_KERNELS_H
#define INCLUDED_THZUM_ESTIMATION_FIT_KERNELS_H

#include <complex>

namespace gr {
namespace thzum {
namespace estimation {

/*!
 * Gaussian elimination of the first \p count unknowns of a Hermitian system, upper triangle, rows
 * of \p width. A pivot that rounding has eaten becomes zero, and its unknown with it.
 */
void eliminate(std::complex<double>* m, int width, int size, int count);

/*! The same for a symmetric system. */
void eliminate(double* m, int width, int size, int count);

/*! Unknown \p k of an eliminated system whose later unknowns are \p solution, right side last. */
std::complex<double> back_substitute(const std::complex<double>* m,
                                     int width,
                                     int size,
                                     int k,
                                     const std::complex<double>* solution);

/*! re + j im -= (a + j b) (x + j y) over \p n values; y = nullptr means zero. */
void subtract_scaled(float a, float b, const float* x, const float* y, float* re, float* im, int n);

} // namespace estimation
} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ESTIMATION_FIT_KERNELS_H */
