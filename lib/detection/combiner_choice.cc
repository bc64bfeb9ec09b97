/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "combiner_choice.h"
#include <Eigen/Cholesky>

namespace gr {
namespace thzum {

combiner_choice::combiner_choice(int n_subarrays, int n_antennas, int n_users)
    : d_n_subarrays(n_subarrays),
      d_n_antennas(n_antennas),
      d_n_users(n_users),
      d_channels(n_antennas, n_users),
      d_uncertainty(n_users, n_users),
      d_work(n_antennas, n_users),
      d_row(n_users),
      d_combiner(n_antennas),
      d_solver(n_users)
{
}

void combiner_choice::begin(double noise_var)
{
    d_noise_var = noise_var;
    d_uncertainty.setIdentity();
}

void combiner_choice::load(const gr_complex* h, int subarray)
{
    for (int user = 0; user < d_n_users; user++) {
        const gr_complex* at =
            h + (static_cast<size_t>(user) * d_n_subarrays + subarray) * d_n_antennas;
        for (int n = 0; n < d_n_antennas; n++)
            d_channels(n, user) = at[n];
    }
}

void combiner_choice::take(const Eigen::RowVectorXcd& row, double norm_squared)
{
    const Eigen::RowVectorXcd grown = row * d_uncertainty;
    const double energy = grown.dot(row).real();
    d_uncertainty -= grown.adjoint() * grown / (d_noise_var * norm_squared + energy);
}

void combiner_choice::store(gr_complex* rows, int subarray) const
{
    for (int n = 0; n < d_n_antennas; n++)
        rows[static_cast<size_t>(subarray) * d_n_antennas + n] = gr_complex(d_combiner(n));
}

void combiner_choice::from_codebook(const gr_complex* h,
                                    const std::vector<gr_complex>& codebook,
                                    double noise_var,
                                    std::vector<int>& chosen)
{
    using row_major = Eigen::Matrix<gr_complex, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const int n_beams = static_cast<int>(codebook.size()) / d_n_antennas;
    const Eigen::Map<const row_major> beams(codebook.data(), n_beams, d_n_antennas);
    const Eigen::VectorXd norms = beams.cast<std::complex<double>>().rowwise().squaredNorm();
    begin(noise_var);
    chosen.resize(d_n_subarrays);
    for (int s = 0; s < d_n_subarrays; s++) {
        load(h, s);
        const matrix rows = (beams * d_channels.cast<gr_complex>()).cast<std::complex<double>>();
        const Eigen::VectorXd gain =
            ((rows * d_uncertainty).cwiseProduct(rows.conjugate()).rowwise().sum().real())
                .cwiseQuotient(norms);
        gain.maxCoeff(&chosen[s]);
        take(rows.row(chosen[s]), norms(chosen[s]));
    }
}

void combiner_choice::matched(const gr_complex* h, double noise_var, gr_complex* rows)
{
    begin(noise_var);
    for (int s = 0; s < d_n_subarrays; s++) {
        load(h, s);
        // Row k of the Gram matrix is what the filter of user k sees, but for its norm.
        const matrix gram = d_channels.adjoint() * d_channels;
        int best = 0;
        double most = -1.0;
        for (int user = 0; user < d_n_users; user++) {
            const double energy = gram(user, user).real();
            const double gain =
                energy > 0.0 ? (gram.row(user) * d_uncertainty).dot(gram.row(user)).real() / energy
                             : 0.0;
            if (gain > most) {
                most = gain;
                best = user;
            }
        }
        const double norm = d_channels.col(best).norm();
        if (norm > 0.0) {
            d_combiner = d_channels.col(best).adjoint() / norm;
            take(gram.row(best) / norm, 1.0);
        } else {
            d_combiner.setConstant(1.0 / std::sqrt(d_n_antennas));
        }
        store(rows, s);
    }
}

void combiner_choice::singular(const gr_complex* h, double noise_var, gr_complex* rows)
{
    begin(noise_var);
    for (int s = 0; s < d_n_subarrays; s++) {
        load(h, s);
        // M L with P = L L^H has the left singular vectors of M P^(1/2).
        d_work.noalias() = d_channels * matrix(d_uncertainty.llt().matrixL());
        d_solver.compute(d_work.adjoint() * d_work);
        const Eigen::VectorXcd left = d_work * d_solver.eigenvectors().col(d_n_users - 1);
        const double norm = left.norm();
        if (norm > 0.0) {
            d_combiner = left.adjoint() / norm;
            d_row.noalias() = d_combiner * d_channels;
            take(d_row, 1.0);
        } else {
            d_combiner.setConstant(1.0 / std::sqrt(d_n_antennas));
        }
        store(rows, s);
    }
}

} // namespace thzum
} // namespace gr
