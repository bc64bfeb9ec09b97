/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/complex_matrix.h"
#include "estimation/estimator_base.h"
#include <Eigen/Dense>
#include <cmath>
#include <sstream>
#include <stdexcept>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

using Eigen::MatrixXcd;

/*!
 * Covariance as the option gives it: [N][N], [n][n] for every subarray or [S][n][n]; when empty,
 * white in the span of the dictionary. One matrix means all subarrays at once.
 */
std::vector<MatrixXcd> covariance_blocks(const std::vector<gr_complex>& values,
                                         const array_shape& shape,
                                         const dictionary::sptr& dict)
{
    const size_t n = shape.elements(), antennas = shape.antennas();
    if (values.empty()) {
        const size_t k = dict->coefficients();
        MatrixXcd span(n, k);
        std::vector<gr_complex> unit(k), atom(n);
        for (size_t j = 0; j < k; ++j) {
            unit.assign(k, gr_complex(0.0f));
            unit[j] = 1.0f;
            dict->synthesize(unit.data(), atom.data(), 1);
            for (size_t i = 0; i < n; ++i)
                span(i, j) = atom[i];
        }
        return std::vector<MatrixXcd>(shape.n_subarrays, span * span.adjoint());
    }
    size_t size = 0, count = 0;
    if (values.size() == antennas * antennas)
        size = antennas, count = 1;
    else if (values.size() == n * n || values.size() == shape.n_subarrays * n * n)
        size = n, count = values.size() / (n * n);
    if (size == 0) {
        std::ostringstream message;
        message << "covariance: expected " << antennas << "x" << antennas << ", " << n << "x" << n
                << " or " << shape.n_subarrays << "x" << n << "x" << n << " values, got "
                << values.size();
        throw std::invalid_argument(message.str());
    }
    std::vector<MatrixXcd> blocks(size == n ? shape.n_subarrays : 1, MatrixXcd(size, size));
    for (size_t s = 0; s < blocks.size(); ++s)
        for (size_t i = 0; i < size * size; ++i)
            blocks[s](i / size, i % size) = values[(s % count) * size * size + i];
    return blocks;
}

/*! Makes the blocks Hermitian with a trace of N over the array. */
void normalise(std::vector<MatrixXcd>& blocks, int antennas)
{
    double trace = 0.0;
    for (auto& block : blocks) {
        if ((block - block.adjoint()).norm() > 1e-3 * block.norm())
            throw std::invalid_argument(
                "covariance: expected a Hermitian matrix; pass E[h h^H], that "
                "is mean(h[:, None] * conj(h[None, :]))");
        block = 0.5 * (block + block.adjoint()).eval();
        trace += block.trace().real();
    }
    if (!(trace > 0.0))
        throw std::invalid_argument("covariance: expected a positive trace, got " +
                                    std::to_string(trace));
    for (auto& block : blocks)
        block *= antennas / trace;
}

/*!
 * LMMSE h = C G^H (G C G^H + noise_var I)^-1 z, G = diag(sigma) V^H.
 *
 * With G C G^H = U diag(d) U^H, h = (C G^H U) diag(1 / (d + noise_var)) U^H z, so that a change of
 * noise_var costs nothing. The error is tr C - sum_i ||(C G^H U)_i||^2 / (d_i + noise_var).
 */
class lmmse_estimator : public estimator_base
{
public:
    lmmse_estimator(const algorithm_info& info,
                    const option_map& given,
                    observation_model::sptr model,
                    std::vector<MatrixXcd> covariance)
        : estimator_base(info, given, std::move(model)), d_trace(op()->shape().antennas())
    {
        normalise(covariance, op()->shape().antennas());
        const auto rows = observation_rows();
        const int shared = op()->shape().n_subarrays / static_cast<int>(covariance.size());
        for (size_t b = 0; b < covariance.size(); ++b)
            d_blocks.push_back(factor(covariance[b], rows, b * shared, shared));
        d_rotated.resize(observations());
    }

protected:
    void
    run(gr_complex* z, float* noise_var, int batch, gr_complex* c, estimate_report* report) override
    {
        for (int b = 0; b < batch; ++b) {
            double error = d_trace;
            const gr_complex* from = z + size_t(b) * observations();
            gr_complex* to = c + size_t(b) * coefficients();
            for (auto& block : d_blocks) {
                block.rotate.multiply(from, d_rotated.data());
                for (int i = 0; i < block.rotate.rows(); ++i) {
                    const float inverse = 1.0f / (block.eigenvalues[i] + noise_var[b]);
                    d_rotated[i] *= inverse;
                    error -= double(block.energies[i]) * inverse;
                }
                block.estimate.multiply(d_rotated.data(), to);
                from += block.rotate.cols();
                to += block.estimate.rows();
            }
            report[b].predicted_nmse_db = nmse_db(error / coefficients());
        }
    }

private:
    struct factored {
        complex_matrix rotate;          // U^H
        complex_matrix estimate;        // C G^H U
        std::vector<float> eigenvalues; // d
        std::vector<float> energies;    // ||(C G^H U)_i||^2
    };

    // G of every subarray, r x n.
    std::vector<MatrixXcd> observation_rows()
    {
        const int n_subarrays = op()->shape().n_subarrays, n = op()->shape().elements();
        const int r = model()->rank();
        const auto& sigma = model()->singular_values();
        std::vector<MatrixXcd> rows(n_subarrays, MatrixXcd(r, n));
        std::vector<gr_complex> unit(observations()), column(coefficients());
        for (int i = 0; i < r; ++i) {
            std::fill(unit.begin(), unit.end(), gr_complex(0.0f));
            for (int s = 0; s < n_subarrays; ++s)
                unit[s * r + i] = sigma[s * r + i];
            model()->from_singular(unit.data(), column.data(), 1);
            for (int s = 0; s < n_subarrays; ++s)
                for (int j = 0; j < n; ++j)
                    rows[s](i, j) = std::conj(column[s * n + j]);
        }
        return rows;
    }

    // The block of subarrays first, ..., first + count - 1.
    static factored
    factor(const MatrixXcd& covariance, const std::vector<MatrixXcd>& rows, int first, int count)
    {
        const int r = rows[0].rows(), n = rows[0].cols();
        MatrixXcd cross(covariance.rows(), count * r); // C G^H
        for (int s = 0; s < count; ++s)
            cross.middleCols(s * r, r) =
                covariance.middleCols(s * n, n) * rows[first + s].adjoint();
        MatrixXcd observed(count * r, count * r); // G C G^H
        for (int s = 0; s < count; ++s)
            observed.middleRows(s * r, r) = rows[first + s] * cross.middleRows(s * n, n);
        const Eigen::SelfAdjointEigenSolver<MatrixXcd> eigen(observed);
        const MatrixXcd estimate = cross * eigen.eigenvectors();

        factored block{ to_single(eigen.eigenvectors().adjoint()), to_single(estimate), {}, {} };
        for (int i = 0; i < count * r; ++i) {
            block.eigenvalues.push_back(std::max(eigen.eigenvalues()(i), 0.0));
            block.energies.push_back(estimate.col(i).squaredNorm());
        }
        return block;
    }

    static complex_matrix to_single(const MatrixXcd& from)
    {
        complex_matrix to(from.rows(), from.cols());
        for (int j = 0; j < from.cols(); ++j)
            for (int i = 0; i < from.rows(); ++i)
                to.set(i, j, gr_complex(from(i, j)));
        return to;
    }

    const double d_trace;
    std::vector<factored> d_blocks;
    std::vector<gr_complex> d_rotated;
};

estimator::sptr
make_lmmse(const algorithm_info& info, const pilot_operator::sptr& op, const option_map& options)
{
    const option_reader reader(info, options);
    const auto& shape = op->shape();
    const auto span = dictionary::make(reader.choice("dictionary", dictionary::names()),
                                       shape.rows,
                                       shape.cols,
                                       reader.number("spacing", 0.01, 2.0));
    const auto antennas = dictionary::make("identity", shape.rows, shape.cols);
    return std::make_shared<lmmse_estimator>(
        info,
        options,
        observation_model::make(op, antennas),
        covariance_blocks(reader.values("covariance"), shape, span));
}

} // namespace

algorithm lmmse()
{
    return {
        { "lmmse",
          "Linear minimum mean-square error with a channel covariance",
          with_common(
              { { "covariance",
                  std::vector<gr_complex>(),
                  "E[h h^H], row-major: N x N, n x n shared by the subarrays, or S x n x n; any "
                  "scale. Empty: white in the dictionary's span." },
                { "dictionary",
                  std::string("visible_region"),
                  "Span of the default covariance, a name of dictionary_names()." } }) },
        make_lmmse
    };
}

} // namespace estimation
} // namespace thzum
} // namespace gr
