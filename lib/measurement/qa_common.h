/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_MEASUREMENT_QA_COMMON_H
#define INCLUDED_THZUM_MEASUREMENT_QA_COMMON_H

#include <gnuradio/thzum/pilot_operator.h>
#include <Eigen/Core>
#include <random>

namespace gr {
namespace thzum {

// Products of a few hundred terms in single precision against double precision.
constexpr double tolerance = 2e-6;

inline std::vector<gr_complex> random_vector(size_t n, unsigned seed)
{
    std::mt19937 engine(seed);
    std::normal_distribution<float> normal;
    std::vector<gr_complex> values(n);
    for (auto& value : values)
        value = { normal(engine), normal(engine) };
    return values;
}

inline std::vector<gr_complex> random_signs(size_t n, unsigned seed)
{
    std::mt19937 engine(seed);
    std::vector<gr_complex> values(n);
    for (auto& value : values)
        value = engine() % 2 ? 1.0f : -1.0f;
    return values;
}

inline Eigen::VectorXcd as_double(const std::vector<gr_complex>& values)
{
    return Eigen::Map<const Eigen::VectorXcf>(values.data(), values.size())
        .cast<std::complex<double>>();
}

/*! The matrix of a linear map \p apply(in, out) of vectors of \p inputs to \p outputs values. */
template <class Map>
Eigen::MatrixXcd matrix_of(Map apply, int inputs, int outputs)
{
    Eigen::MatrixXcf matrix(outputs, inputs);
    Eigen::VectorXcf unit = Eigen::VectorXcf::Zero(inputs);
    for (int i = 0; i < inputs; i++) {
        unit[i] = 1;
        apply(unit.data(), matrix.col(i).data());
        unit[i] = 0;
    }
    return matrix.cast<std::complex<double>>();
}

/*! C of all subarrays as one block-diagonal matrix M x N. */
inline Eigen::MatrixXcd combiner_matrix(const pilot_operator& op)
{
    const int slots = op.n_slots(), n = op.shape().elements();
    Eigen::MatrixXcd matrix = Eigen::MatrixXcd::Zero(op.n_observations(), op.shape().antennas());
    for (int row = 0; row < op.n_observations(); row++)
        for (int i = 0; i < n; i++)
            matrix(row, row / slots * n + i) =
                std::complex<double>(op.combiner()[size_t(row) * n + i]);
    return matrix;
}

inline Eigen::MatrixXcd projection_matrix(pilot_operator& op)
{
    return matrix_of([&](const gr_complex* h, gr_complex* b) { op.project(h, b, 1); },
                     op.shape().antennas(),
                     op.shape().n_subarrays * op.rank());
}

inline Eigen::MatrixXcd whitening_matrix(pilot_operator& op)
{
    return matrix_of([&](const gr_complex* y, gr_complex* z) { op.whiten(y, z, 1); },
                     op.n_observations(),
                     op.shape().n_subarrays * op.rank());
}

inline double distance(const Eigen::MatrixXcd& a, const Eigen::MatrixXcd& b)
{
    return (a - b).cwiseAbs().maxCoeff();
}

inline Eigen::MatrixXcd identity(Eigen::Index size)
{
    return Eigen::MatrixXcd::Identity(size, size);
}

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_MEASUREMENT_QA_COMMON_H */
