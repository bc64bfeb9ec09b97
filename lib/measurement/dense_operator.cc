/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "measurement/dense_operator.h"
#include "measurement/factorization.h"
#include <algorithm>
#include <sstream>

namespace gr {
namespace thzum {

namespace {

using row_major = Eigen::Matrix<gr_complex, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Eigen::MatrixXcd combiner_block(const std::vector<gr_complex>& combiner, int s, int slots, int n)
{
    return Eigen::Map<const row_major>(&combiner[size_t(s) * slots * n], slots, n)
        .cast<std::complex<double>>();
}

} // namespace

dense_operator::dense_operator(const std::vector<gr_complex>& combiner,
                               int n_slots,
                               const array_shape& shape,
                               noise_model model)
    : d_shape(shape),
      d_slots(n_slots),
      d_model(model),
      d_rank(std::min(n_slots, shape.elements())),
      d_combiner(combiner)
{
    std::vector<Eigen::MatrixXcd> forward, whitening, projection;
    for (int s = 0; s < shape.n_subarrays; s++) {
        forward.push_back(combiner_block(combiner, s, n_slots, shape.elements()));
        Eigen::VectorXd row_scale = Eigen::VectorXd::Ones(n_slots);
        if (model == noise_model::per_slot)
            row_scale = forward[s].rowwise().norm().cwiseInverse();
        const factorization svd = factorize(row_scale.asDiagonal() * forward[s]);

        Eigen::VectorXd gain = svd.singular_values;
        Eigen::VectorXd noise_scale = Eigen::VectorXd::Ones(d_rank);
        if (model == noise_model::common) {
            // The noise is noise_var * C C^H: in the singular basis 1/s makes it white, where s is
            // not 0.
            noise_scale = (gain.array() > 0).select(gain.cwiseInverse(), 0.0);
            gain = (gain.array() > 0).select(Eigen::VectorXd::Ones(d_rank), 0.0);
        }
        for (const double value : gain)
            d_gains.push_back(static_cast<float>(value));
        whitening.push_back(noise_scale.asDiagonal() * svd.u.leftCols(d_rank).adjoint() *
                            row_scale.asDiagonal());
        projection.push_back(svd.v.adjoint());
    }
    d_forward = block_matrix(forward);
    d_whitening = block_matrix(whitening);
    d_projection = block_matrix(projection);
}

void dense_operator::forward(const gr_complex* h, gr_complex* y, int batch)
{
    d_forward.multiply(h, y, batch);
}

void dense_operator::adjoint(const gr_complex* y, gr_complex* h, int batch)
{
    d_forward.multiply_adjoint(y, h, batch);
}

void dense_operator::whiten(const gr_complex* y, gr_complex* z, int batch)
{
    d_whitening.multiply(y, z, batch);
}

void dense_operator::project(const gr_complex* h, gr_complex* b, int batch)
{
    d_projection.multiply(h, b, batch);
}

void dense_operator::backproject(const gr_complex* b, gr_complex* h, int batch)
{
    d_projection.multiply_adjoint(b, h, batch);
}

pilot_operator::sptr dense_operator::clone() const
{
    return std::make_shared<dense_operator>(*this);
}

std::string dense_operator::repr() const
{
    std::ostringstream out;
    out << "pilot_operator(n_subarrays=" << d_shape.n_subarrays << ", rows=" << d_shape.rows
        << ", cols=" << d_shape.cols << ", n_slots=" << d_slots
        << ", combiner=" << (d_forward.is_real() ? "real" : "complex")
        << ", noise_model=" << (d_model == noise_model::common ? "common" : "per_slot") << ")";
    return out.str();
}

} // namespace thzum
} // namespace gr
