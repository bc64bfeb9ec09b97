/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detection/detectors.h"
#include "detection/linear_detector.h"
#include <Eigen/Dense>
#include <algorithm>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

/*!
 * Zero forcing: W = (H^H H)^-1 H^H with error variance noise_var [(H^H H)^-1]_kk.
 *
 * When columns depend on one another W is the pseudo-inverse of H with unit columns, and W H = P is
 * a projection instead of the identity: user k is then seen with gain P_kk, and the symbols of
 * those it cannot be told from count as error.
 */
class zf_detector : public linear_detector
{
public:
    zf_detector(const detector_sizes& sizes, const option_reader& options)
        : linear_detector("zf", sizes, options),
          d_factor(sizes.n_rx, sizes.n_tx),
          d_gram(sizes.n_tx, sizes.n_tx),
          d_eigen(sizes.n_tx),
          d_norms(sizes.n_tx)
    {
        if (sizes.n_tx > sizes.n_rx)
            throw std::invalid_argument(
                "zf: n_tx expects at most n_rx = " + std::to_string(sizes.n_rx) + ", got " +
                std::to_string(sizes.n_tx) + "; use 'lmmse' for more users than RF chains");
    }

protected:
    void prepare(const gr_complex* H, int n_active, float noise_var) override
    {
        d_factor.load(H, n_active);
        clear_filter(d_factor.total_energy(), noise_var);
        keep_gram(n_active);
        if (!d_factor.factor(0.0)) {
            pseudo_inverse(H, n_active, noise_var);
            return;
        }
        d_factor.solve();
        for (int a = 0; a < n_active; a++) {
            for (int r = 0; r < n_rx(); r++)
                d_row[r] = d_factor.filter(a, r);
            set_filter(a, d_row.data(), 1.0, noise_var * d_factor.inverse_diagonal(a));
        }
    }

private:
    /*! Gram matrix of the unit columns, in the upper left corner of a zero matrix. */
    void keep_gram(int n_active)
    {
        d_gram.setZero();
        for (int a = 0; a < n_active; a++)
            d_norms[a] = std::sqrt(d_factor.gram(a, a).real());
        for (int a = 0; a < n_active; a++)
            for (int b = 0; b < n_active; b++)
                d_gram(a, b) = d_factor.gram(a, b) / (d_norms[a] * d_norms[b]);
    }

    void pseudo_inverse(const gr_complex* H, int n_active, float noise_var)
    {
        d_eigen.compute(d_gram);
        const auto& values = d_eigen.eigenvalues();
        const double limit = hermitian_factor::dependence * n_active * values.maxCoeff();
        const Eigen::VectorXd inverse =
            (values.array() > limit).select(values.array().inverse(), 0.0).matrix();
        const auto& V = d_eigen.eigenvectors();
        const Eigen::MatrixXcd G_inverse = V * inverse.asDiagonal() * V.adjoint();
        const Eigen::MatrixXcd P = G_inverse * d_gram;
        for (int a = 0; a < n_active; a++)
            set_projected(H, n_active, a, noise_var, G_inverse, P);
    }

    void set_projected(const gr_complex* H,
                       int n_active,
                       int a,
                       float noise_var,
                       const Eigen::MatrixXcd& G_inverse,
                       const Eigen::MatrixXcd& P)
    {
        const double gain = std::max(P(a, a).real(), 1e-14);
        double interference = 0.0;
        for (int b = 0; b < n_active; b++)
            if (b != a)
                interference += std::norm(P(a, b) * d_norms[b]);
        for (int r = 0; r < n_rx(); r++) {
            d_row[r] = 0.0;
            for (int b = 0; b < n_active; b++)
                d_row[r] += G_inverse(a, b) *
                            std::conj(std::complex<double>(H[r * n_active + b]) / d_norms[b]) /
                            d_norms[a];
        }
        const double error = interference + noise_var * G_inverse(a, a).real();
        const double scale = gain * d_norms[a];
        set_filter(a, d_row.data(), gain, error / (scale * scale));
    }

    hermitian_factor d_factor;
    Eigen::MatrixXcd d_gram;
    Eigen::SelfAdjointEigenSolver<Eigen::MatrixXcd> d_eigen;
    std::vector<double> d_norms; // [n_active] column norms of H
};

} // namespace

detector_entry zf_entry()
{
    return { { "zf",
               "zero forcing; pseudo-inverse where users cannot be told apart (n_tx <= n_rx)",
               { llr_option() } },
             [](const detector_sizes& sizes, const option_reader& options) {
                 return std::make_shared<zf_detector>(sizes, options);
             } };
}

} // namespace thzum
} // namespace gr
