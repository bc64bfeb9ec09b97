/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_SYNC_USER_TURNER_H
#define INCLUDED_THZUM_SYNC_USER_TURNER_H

#include <gnuradio/thzum/air_frame.h>
#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <vector>

namespace gr {
namespace thzum {

/*!
 * \brief Takes each user's own phase out of the chips of a pilot slot.
 *
 * A slot's chips are x = sum_k c_k v_k + noise, v_k[p] = s_k[p] exp(2j pi f_k (p - (P - 1) / 2)),
 * for users of their own frequencies f_k. The least-squares c_k of all users together are free of
 * what turning within the slot does to orthogonal sequences; the slot becomes
 * x + sum_k c_k (exp(-j theta_k) s_k - v_k).
 */
class THZUM_API user_turner
{
public:
    explicit user_turner(const air_frame& frame);

    /*! \param frequency f_k [K] in cycles per symbol */
    void set_frequency(const std::vector<double>& frequency);

    /*!
     * \brief Corrects one slot of one chain.
     * \param factors exp(-j theta_k) [K] in the middle of the slot
     * \param chips [P]
     */
    void run(const gr_complex* factors, gr_complex* chips);

private:
    int d_n_users;
    int d_n_chips;
    std::vector<gr_complex> d_sequences; // [K][P]
    std::vector<gr_complex> d_turning;   // [K][P] v_k
    std::vector<gr_complex> d_inverse;   // [K][P] rows that give c_k
    std::vector<gr_complex> d_amplitude; // [K]
    Eigen::MatrixXcd d_gram;             // [K][K]
    Eigen::VectorXcd d_column;           // [K]
    Eigen::LLT<Eigen::MatrixXcd> d_solver;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_SYNC_USER_TURNER_H */
