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

/*! a b, without the library's search for infinities. */
inline std::complex<double> multiply(const std::complex<double>& a, const std::complex<double>& b)
{
    return { a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real() };
}

/*!
 * Gaussian elimination of the first \p count unknowns of a Hermitian system, upper triangle, rows
 * of \p width. A pivot that rounding has eaten becomes zero, and its unknown with it.
 * \param rows those that are there, from \p count on; by default all
 */
void eliminate(std::complex<double>* m, int width, int size, int count, int rows);
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
