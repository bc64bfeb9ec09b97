/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "sync/phase_smoother.h"
#include <algorithm>

namespace gr {
namespace thzum {

phase_smoother::phase_smoother(int n_references, int n_groups)
    : d_n(n_references),
      d_matrix(n_references + n_groups - 1, n_references + n_groups - 1),
      d_right(n_references + n_groups - 1),
      d_solver(n_references + n_groups - 1)
{
}

void phase_smoother::run(const std::vector<double>& times,
                         const std::vector<int>& groups,
                         const std::vector<double>& psi,
                         const std::vector<double>& variance,
                         double walk_variance,
                         double* phases)
{
    d_matrix.setZero();
    d_right.setZero();
    // A weak prior keeps the offset of a group without references determined.
    d_matrix.diagonal().tail(d_matrix.rows() - d_n).setConstant(1e-9);
    for (int j = 0; j < d_n; j++) {
        const double weight = 1.0 / variance[j];
        d_matrix(j, j) += weight;
        d_right(j) += weight * psi[j];
        if (groups[j] > 0) {
            const int m = d_n + groups[j] - 1;
            d_matrix(m, m) += weight;
            d_matrix(m, j) += weight;
            d_matrix(j, m) += weight;
            d_right(m) += weight * psi[j];
        }
        if (j == 0)
            continue;
        const double tie = 1.0 / (walk_variance * (times[j] - times[j - 1]));
        d_matrix(j, j) += tie;
        d_matrix(j - 1, j - 1) += tie;
        d_matrix(j, j - 1) -= tie;
        d_matrix(j - 1, j) -= tie;
    }
    d_solver.compute(d_matrix);
    d_right = d_solver.solve(d_right);
    std::copy_n(d_right.data(), d_n, phases);
}

} // namespace thzum
} // namespace gr
