/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "measurement/slepian.h"
#include <Eigen/Eigenvalues>
#include <cmath>

namespace gr {
namespace thzum {

namespace {

// Symmetric sequences are made positive on average, antisymmetric ones in their first lobe.
double sign_of(const Eigen::VectorXd& sequence, bool symmetric)
{
    const double sum = sequence.sum();
    if (symmetric && std::abs(sum) > 1e-9)
        return sum < 0 ? -1 : 1;
    // Above the mean square is the first lobe; two elements are both at it, but for rounding.
    const double mean_square = 1.0 / static_cast<double>(sequence.size());
    const double threshold = (1 - 1e-9) * mean_square;
    for (const double value : sequence)
        if (value * value > threshold)
            return value < 0 ? -1 : 1;
    return 1;
}

} // namespace

Eigen::MatrixXd slepian_sequences(int size, double half_bandwidth, int n_sequences)
{
    if (size == 1)
        return Eigen::MatrixXd::Ones(1, 1);
    // Eigenvectors of the tridiagonal matrix that commutes with the sinc kernel (Slepian 1978, eq.
    // 14): unlike the kernel's own eigenvalues, its eigenvalues are well apart.
    Eigen::VectorXd diagonal(size), off_diagonal(size - 1);
    for (int i = 0; i < size; i++) {
        const double centred = 0.5 * (size - 1 - 2 * i);
        diagonal[i] = centred * centred * std::cos(2 * M_PI * half_bandwidth);
    }
    for (int i = 1; i < size; i++)
        off_diagonal[i - 1] = 0.5 * i * (size - i);
    Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver;
    solver.computeFromTridiagonal(diagonal, off_diagonal);
    Eigen::MatrixXd sequences(size, n_sequences);
    for (int k = 0; k < n_sequences; k++) {
        const Eigen::VectorXd sequence = solver.eigenvectors().col(size - 1 - k);
        sequences.col(k) = sequence * sign_of(sequence, k % 2 == 0);
    }
    return sequences;
}

} // namespace thzum
} // namespace gr
