/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_MEASUREMENT_FACTORIZATION_H
#define INCLUDED_THZUM_MEASUREMENT_FACTORIZATION_H

#include <Eigen/Core>

namespace gr {
namespace thzum {

/*! Singular value decomposition M = U diag(singular_values) V^H of a rows x cols matrix. */
struct factorization {
    Eigen::MatrixXcd u;              /*!< rows x rows, unitary */
    Eigen::VectorXd singular_values; /*!< min(rows, cols), descending; 0 past the numerical rank */
    Eigen::MatrixXcd v;              /*!< cols x min(rows, cols), orthonormal columns */
};

/*!
 * \brief Factors a matrix known to single precision.
 *
 * Singular values that single-precision rounding of the entries may have caused are set to zero. A
 * matrix without imaginary part gives U and V without imaginary part.
 */
factorization factorize(const Eigen::MatrixXcd& matrix);

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_MEASUREMENT_FACTORIZATION_H */
