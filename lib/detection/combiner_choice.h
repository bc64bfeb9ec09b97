/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_DETECTION_COMBINER_CHOICE_H
#define INCLUDED_THZUM_DETECTION_COMBINER_CHOICE_H

#include <gnuradio/gr_complex.h>
#include <Eigen/Core>
#include <Eigen/Eigenvalues>
#include <vector>

namespace gr {
namespace thzum {

/*!
 * \brief Chooses one combiner row per subarray for the data of several users.
 *
 * The subarrays choose in turn, each the row of its candidates with which the sum rate
 * log2 det(I + H^H H / noise_var) of the effective channel so far grows most. A row r = c M, where
 * M [n][K] holds the users' channels at the subarray, adds log2(1 + r P r^H / noise_var) with
 * P = (I + H^H H / noise_var)^-1 of the rows before, so that r P r^H / ||c||^2 decides and P
 * shrinks by a rank-one term each time. The strongest row of each subarray by itself would often
 * be the same in all of them, and leave the users inseparable.
 *
 * Allocates at construction and in the eigenvalue solver; serves one thread.
 */
class combiner_choice
{
public:
    combiner_choice(int n_subarrays, int n_antennas, int n_users);

    /*! Candidates are the rows of a code book [beams][antenna]. \param chosen [subarray] indices */
    void from_codebook(const gr_complex* h,
                       const std::vector<gr_complex>& codebook,
                       double noise_var,
                       std::vector<int>& chosen);

    /*! Candidates are the matched filters of the users, h_k^* / ||h_k|| at the subarray.
     * \param rows [subarray][antenna] */
    void matched(const gr_complex* h, double noise_var, gr_complex* rows);

    /*! All unit-norm rows are candidates; the best is the dominant left singular vector of
     * M P^(1/2). \param rows [subarray][antenna] */
    void singular(const gr_complex* h, double noise_var, gr_complex* rows);

private:
    using matrix = Eigen::MatrixXcd;

    void begin(double noise_var);
    void load(const gr_complex* h, int subarray);
    void take(const Eigen::RowVectorXcd& row, double norm_squared);
    void store(gr_complex* rows, int subarray) const;

    const int d_n_subarrays;
    const int d_n_antennas;
    const int d_n_users;
    double d_noise_var = 1.0;
    matrix d_channels;              /*!< M [antenna][user] of the subarray at hand */
    matrix d_uncertainty;           /*!< P [user][user] */
    matrix d_work;                  /*!< [antenna][user] */
    Eigen::RowVectorXcd d_row;      /*!< r [user] */
    Eigen::RowVectorXcd d_combiner; /*!< c [antenna] */
    Eigen::SelfAdjointEigenSolver<matrix> d_solver; /*!< of [user][user] */
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_DETECTION_COMBINER_CHOICE_H */
