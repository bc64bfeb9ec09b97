/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_SYNC_PHASE_SMOOTHER_H
#define INCLUDED_THZUM_SYNC_PHASE_SMOOTHER_H

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <vector>

namespace gr {
namespace thzum {

/*!
 * \brief Most probable phases phi_j of a random walk, seen as psi_j = phi_j + mu_g + noise with an
 * offset mu_g per group, that of the first group being zero.
 */
class phase_smoother
{
public:
    phase_smoother(int n_references, int n_groups);

    /*!
     * \param times [J] of the phases
     * \param groups [J]
     * \param psi [J] measured phases
     * \param variance [J] of the measurements
     * \param walk_variance of the walk's steps, per unit of time
     * \param phases [J] result
     */
    void run(const std::vector<double>& times,
             const std::vector<int>& groups,
             const std::vector<double>& psi,
             const std::vector<double>& variance,
             double walk_variance,
             double* phases);

private:
    int d_n;
    Eigen::MatrixXd d_matrix;
    Eigen::VectorXd d_right;
    Eigen::LDLT<Eigen::MatrixXd> d_solver;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_SYNC_PHASE_SMOOTHER_H */
