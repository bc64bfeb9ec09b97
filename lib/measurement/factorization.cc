/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "measurement/factorization.h"
#include <Eigen/SVD>
#include <algorithm>
#include <limits>

namespace gr {
namespace thzum {

namespace {

template <class Matrix>
factorization factorize_as(const Matrix& matrix)
{
    const Eigen::BDCSVD<Matrix> svd(matrix, Eigen::ComputeFullU | Eigen::ComputeThinV);
    const double threshold = svd.singularValues()[0] * std::numeric_limits<float>::epsilon() *
                             static_cast<double>(std::max(matrix.rows(), matrix.cols()));
    return { svd.matrixU().template cast<std::complex<double>>(),
             (svd.singularValues().array() > threshold).select(svd.singularValues(), 0.0),
             svd.matrixV().template cast<std::complex<double>>() };
}

} // namespace

factorization factorize(const Eigen::MatrixXcd& matrix)
{
    if ((matrix.imag().array() == 0.0).all())
        return factorize_as<Eigen::MatrixXd>(matrix.real());
    return factorize_as<Eigen::MatrixXcd>(matrix);
}

} // namespace thzum
} // namespace gr
