/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "measurement/dense_observation_model.h"
#include "measurement/factorization.h"
#include "measurement/matrix_kernels.h"
#include "measurement/noise_dimensions.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {

namespace {

constexpr int chunk = 8;

/*! The dictionary as a matrix, atoms in columns. */
Eigen::MatrixXcd atoms(dictionary& dict)
{
    const int n = dict.rows() * dict.cols();
    Eigen::MatrixXcf matrix(n, dict.coefficients());
    Eigen::VectorXcf unit = Eigen::VectorXcf::Zero(dict.coefficients());
    for (int k = 0; k < dict.coefficients(); k++) {
        unit[k] = 1;
        dict.synthesize(unit.data(), matrix.col(k).data(), 1);
        unit[k] = 0;
    }
    return matrix.cast<std::complex<double>>();
}

/*! B of every subarray, rows * cols columns. */
std::vector<Eigen::MatrixXcd> projections(pilot_operator& op)
{
    const array_shape& shape = op.shape();
    std::vector<Eigen::MatrixXcd> matrices(shape.n_subarrays,
                                           Eigen::MatrixXcd(op.rank(), shape.elements()));
    Eigen::MatrixXcf unit = Eigen::MatrixXcf::Zero(op.rank(), shape.n_subarrays);
    Eigen::MatrixXcf column(shape.elements(), shape.n_subarrays);
    for (int r = 0; r < op.rank(); r++) {
        unit.row(r).setOnes();
        op.backproject(unit.data(), column.data(), 1);
        unit.row(r).setZero();
        for (int s = 0; s < shape.n_subarrays; s++)
            matrices[s].row(r) = column.col(s).adjoint().cast<std::complex<double>>();
    }
    return matrices;
}

/*! The phase out of 1 and j that makes an atom real, or 1 if there is none. */
gr_complex phase_of(const Eigen::VectorXcd& atom)
{
    return (atom.real().array() == 0.0).all() ? gr_complex(0, 1) : gr_complex(1, 0);
}

} // namespace

dense_observation_model::dense_observation_model(pilot_operator::sptr op, dictionary::sptr dict)
    : d_op(std::move(op)),
      d_dict(std::move(dict)),
      d_rank(std::min(d_op->rank(), d_dict->coefficients())),
      d_coefficients(size_t(chunk) * coefficients()),
      d_whitened(size_t(chunk) * d_op->shape().n_subarrays * d_op->rank()),
      d_full(d_whitened.size())
{
    factorize_operator();
    const auto zeros = std::count(d_singular_values.begin(), d_singular_values.end(), 0.0f);
    d_excess = noise_dimensions(*d_op) - static_cast<int>(d_singular_values.size() - zeros);
}

void dense_observation_model::factorize_operator()
{
    Eigen::MatrixXcd dict = atoms(*d_dict);
    Eigen::VectorXcd phase(dict.cols());
    for (int k = 0; k < dict.cols(); k++) {
        phase[k] = std::complex<double>(phase_of(dict.col(k)));
        dict.col(k) *= std::conj(phase[k]);
    }
    const std::vector<Eigen::MatrixXcd> projection = projections(*d_op);
    std::vector<Eigen::MatrixXcd> left, right;
    for (size_t s = 0; s < projection.size(); s++) {
        const auto gains =
            Eigen::Map<const Eigen::VectorXf>(&d_op->gains()[s * d_op->rank()], d_op->rank());
        const factorization svd =
            factorize(gains.cast<double>().asDiagonal() * projection[s] * dict);
        for (const double value : svd.singular_values)
            d_singular_values.push_back(static_cast<float>(value));
        left.push_back(svd.u.adjoint());
        right.push_back(svd.v.adjoint());
        for (const auto& value : phase) {
            d_phase.push_back(gr_complex(value));
            d_conjugate_phase.push_back(gr_complex(std::conj(value)));
        }
    }
    d_left = block_matrix(left);
    d_right = block_matrix(right);
}

float dense_observation_model::split_observation(const gr_complex* full, gr_complex* z) const
{
    double energy = 0;
    for (int s = 0; s < d_op->shape().n_subarrays; s++) {
        const float* sigma = &d_singular_values[s * d_rank];
        for (int r = 0; r < d_op->rank(); r++) {
            if (r < d_rank)
                z[r] = full[r];
            if (r >= d_rank || sigma[r] == 0)
                energy += std::norm(full[r]);
        }
        full += d_op->rank();
        z += d_rank;
    }
    return static_cast<float>(energy);
}

void dense_observation_model::observe(const gr_complex* y,
                                      gr_complex* z,
                                      float* excess_energy,
                                      int batch)
{
    const int subarrays = d_op->shape().n_subarrays;
    for (int first = 0; first < batch; first += chunk) {
        const int n = std::min(chunk, batch - first);
        d_op->whiten(y + size_t(first) * d_op->n_observations(), d_whitened.data(), n);
        d_left.multiply(d_whitened.data(), d_full.data(), n);
        for (int i = 0; i < n; i++) {
            const float energy = split_observation(&d_full[size_t(i) * subarrays * d_op->rank()],
                                                   z + size_t(first + i) * subarrays * d_rank);
            if (excess_energy)
                excess_energy[first + i] = energy;
        }
    }
}

void dense_observation_model::to_singular(const gr_complex* c, gr_complex* z, int batch)
{
    const int outputs = d_op->shape().n_subarrays * d_rank;
    for (int first = 0; first < batch; first += chunk) {
        const int n = std::min(chunk, batch - first);
        for (int i = 0; i < n; i++)
            multiply_elements(d_phase.data(),
                              c + size_t(first + i) * coefficients(),
                              &d_coefficients[size_t(i) * coefficients()],
                              coefficients());
        d_right.multiply(d_coefficients.data(), z + size_t(first) * outputs, n);
    }
}

void dense_observation_model::from_singular(const gr_complex* z, gr_complex* c, int batch)
{
    d_right.multiply_adjoint(z, c, batch);
    for (int i = 0; i < batch; i++) {
        gr_complex* item = c + size_t(i) * coefficients();
        multiply_elements(d_conjugate_phase.data(), item, item, coefficients());
    }
}

} // namespace thzum
} // namespace gr
