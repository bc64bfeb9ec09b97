/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "measurement/dense_operator.h"
#include "measurement/factorization.h"
#include "measurement/mask.h"
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
                               noise_model model,
                               const std::vector<uint8_t>& mask)
    : d_shape(shape),
      d_slots(n_slots),
      d_model(model),
      d_rank(std::min(n_slots, shape.elements())),
      d_combiner(combiner),
      d_mask(mask)
{
    std::vector<Eigen::MatrixXcd> forward, whitening, projection;
    for (int s = 0; s < shape.n_subarrays; s++) {
        Eigen::MatrixXcd rows = combiner_block(combiner, s, n_slots, shape.elements());
        std::vector<int> slots;
        for (int q = 0; q < n_slots; q++)
            if (mask[s * n_slots + q])
                slots.push_back(q);
            else
                rows.row(q).setZero();
        const factors own = factorize_heard(rows, slots);
        for (int r = 0; r < d_rank; r++) {
            d_gains.push_back(static_cast<float>(own.gains[r]));
            d_noise_reaches.push_back(r < own.reached &&
                                      (model == noise_model::per_slot || own.gains[r] > 0));
        }
        forward.push_back(rows);
        whitening.push_back(own.whitening);
        projection.push_back(own.projection);
    }
    d_forward = block_matrix(forward);
    d_whitening = block_matrix(whitening);
    d_projection = block_matrix(projection);
}

dense_operator::factors dense_operator::factorize_heard(const Eigen::MatrixXcd& combiner,
                                                        const std::vector<int>& slots) const
{
    const int n = d_shape.elements(), count = static_cast<int>(slots.size());
    factors all = { Eigen::MatrixXcd::Zero(d_rank, d_slots),
                    Eigen::MatrixXcd::Zero(d_rank, n),
                    Eigen::VectorXd::Zero(d_rank),
                    std::min(count, n) };
    if (count == 0)
        return all;
    Eigen::MatrixXcd heard(count, n);
    for (int q = 0; q < count; q++)
        heard.row(q) = combiner.row(slots[q]);
    Eigen::VectorXd row_scale = Eigen::VectorXd::Ones(count);
    if (d_model == noise_model::per_slot)
        row_scale = heard.rowwise().norm().cwiseInverse();
    const factorization svd = factorize(row_scale.asDiagonal() * heard);

    Eigen::VectorXd gain = svd.singular_values;
    Eigen::VectorXd noise_scale = Eigen::VectorXd::Ones(all.reached);
    if (d_model == noise_model::common) {
        // The noise is noise_var * C C^H: in the singular basis 1/s makes it white, where s is
        // not 0.
        noise_scale = (gain.array() > 0).select(gain.cwiseInverse(), 0.0);
        gain = (gain.array() > 0).select(Eigen::VectorXd::Ones(all.reached), 0.0);
    }
    all.gains.head(all.reached) = gain;
    all.projection.topRows(all.reached) = svd.v.adjoint();
    const Eigen::MatrixXcd whitening = noise_scale.asDiagonal() *
                                       svd.u.leftCols(all.reached).adjoint() * row_scale.asDiagonal();
    for (int q = 0; q < count; q++)
        all.whitening.col(slots[q]).head(all.reached) = whitening.col(q);
    return all;
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

pilot_operator::sptr dense_operator::with_mask(const std::vector<uint8_t>& mask) const
{
    return std::make_shared<dense_operator>(
        d_combiner, d_slots, d_shape, d_model, checked_mask(mask, n_observations()));
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
        << ", noise_model=" << (d_model == noise_model::common ? "common" : "per_slot") << ")"
        << describe_mask(d_mask);
    return out.str();
}

} // namespace thzum
} // namespace gr
