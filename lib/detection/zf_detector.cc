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
          d_gram(sizes.n_tx, sizes.n_tx),
          d_eigen(sizes.n_tx),
          d_norms(sizes.n_tx),
          d_re(hermitian_factor::padded(sizes.n_tx) * sizes.n_tx),
          d_im(d_re.size())
    {
        if (sizes.n_tx > sizes.n_rx)
            throw std::invalid_argument(
                "zf: n_tx expects at most n_rx = " + std::to_string(sizes.n_rx) + ", got " +
                std::to_string(sizes.n_tx) + "; use 'lmmse' for more users than RF chains");
    }

protected:
    std::pair<const double*, const double*> solve(hermitian_factor& factor,
                                                  int n_active,
                                                  double noise_var,
                                                  double* gain,
                                                  double* error) override
    {
        if (!factor.factor(0.0)) {
            factor.form_gram();
            keep_gram(factor, n_active);
            pseudo_inverse(n_active, factor.stride(), noise_var, gain, error);
            return { d_re.data(), d_im.data() };
        }
        factor.invert();
        for (int a = 0; a < n_active; a++) {
            gain[a] = 1.0;
            error[a] = noise_var * factor.inverse_re()[a * factor.stride() + a];
        }
        return { factor.inverse_re(), factor.inverse_im() };
    }

private:
    /*! Gram matrix of the unit columns, in the upper left corner of a zero matrix. */
    void keep_gram(const hermitian_factor& factor, int n_active)
    {
        d_gram.setZero();
        for (int a = 0; a < n_active; a++)
            d_norms[a] = std::sqrt(factor.gram(a, a).real());
        for (int a = 0; a < n_active; a++)
            for (int b = a; b < n_active; b++) {
                d_gram(a, b) = factor.gram(a, b) / (d_norms[a] * d_norms[b]);
                d_gram(b, a) = std::conj(d_gram(a, b));
            }
    }

    void pseudo_inverse(int n_active, int stride, double noise_var, double* gain, double* error)
    {
        d_eigen.compute(d_gram);
        const auto& values = d_eigen.eigenvalues();
        const double limit = hermitian_factor::dependence * n_active * values.maxCoeff();
        const Eigen::VectorXd inverse =
            (values.array() > limit).select(values.array().inverse(), 0.0).matrix();
        const auto& V = d_eigen.eigenvectors();
        const Eigen::MatrixXcd G_inverse = V * inverse.asDiagonal() * V.adjoint();
        const Eigen::MatrixXcd P = G_inverse * d_gram;
        std::fill(d_re.begin(), d_re.end(), 0.0);
        std::fill(d_im.begin(), d_im.end(), 0.0);
        for (int a = 0; a < n_active; a++) {
            double interference = 0.0;
            for (int b = 0; b < n_active; b++) {
                if (b != a)
                    interference += std::norm(P(a, b) * d_norms[b]);
                const auto entry = G_inverse(a, b) / (d_norms[a] * d_norms[b]);
                d_re[a * stride + b] = entry.real();
                d_im[a * stride + b] = entry.imag();
            }
            gain[a] = std::max(P(a, a).real(), 1e-14);
            const double scale = gain[a] * d_norms[a];
            error[a] = (interference + noise_var * G_inverse(a, a).real()) / (scale * scale);
        }
    }

    Eigen::MatrixXcd d_gram;
    Eigen::SelfAdjointEigenSolver<Eigen::MatrixXcd> d_eigen;
    std::vector<double> d_norms;    // [n_active] column norms of H
    std::vector<double> d_re, d_im; // pseudo-inverse of the Gram matrix, [n_tx][stride]
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
