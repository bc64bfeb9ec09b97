/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_MEASUREMENT_DENSE_OPERATOR_H
#define INCLUDED_THZUM_MEASUREMENT_DENSE_OPERATOR_H

#include "measurement/block_matrix.h"
#include <gnuradio/thzum/pilot_operator.h>

namespace gr {
namespace thzum {

/*!
 * \brief Pilot operator of an arbitrary combiner, by dense matrices.
 *
 * With C = U diag(s) V^H per subarray (rows first normalised for per-slot noise), B is V^H; the
 * whitened observation is U^H y for per-slot noise, of gains s, and diag(1/s) U^H y for common
 * noise, of gains 1. Pilots that are not heard are left out of the factors; rows of zeros keep the sizes.
 */
class dense_operator : public pilot_operator
{
public:
    dense_operator(const std::vector<gr_complex>& combiner,
                   int n_slots,
                   const array_shape& shape,
                   noise_model model,
                   const std::vector<uint8_t>& mask);

    const array_shape& shape() const override { return d_shape; }
    int n_slots() const override { return d_slots; }
    noise_model model() const override { return d_model; }
    bool is_fast() const override { return false; }
    const std::vector<gr_complex>& combiner() const override { return d_combiner; }
    int rank() const override { return d_rank; }
    const std::vector<float>& gains() const override { return d_gains; }

    void forward(const gr_complex* h, gr_complex* y, int batch) override;
    void adjoint(const gr_complex* y, gr_complex* h, int batch) override;
    void whiten(const gr_complex* y, gr_complex* z, int batch) override;
    void project(const gr_complex* h, gr_complex* b, int batch) override;
    void backproject(const gr_complex* b, gr_complex* h, int batch) override;
    const std::vector<uint8_t>& noise_reaches() const override { return d_noise_reaches; }
    sptr with_mask(const std::vector<uint8_t>& mask) const override;
    const std::vector<uint8_t>& mask() const override { return d_mask; }
    sptr clone() const override;
    std::string repr() const override;

private:
    /*! What a subarray's heard rows \p combiner [Q_heard][n] give, in the sizes of all. */
    struct factors {
        Eigen::MatrixXcd whitening, projection;
        Eigen::VectorXd gains;
        int reached; // leading rows that noise may reach
    };
    factors factorize_heard(const Eigen::MatrixXcd& combiner, const std::vector<int>& slots) const;

    const array_shape d_shape;
    const int d_slots;
    const noise_model d_model;
    const int d_rank;
    const std::vector<gr_complex> d_combiner;
    const std::vector<uint8_t> d_mask; // [S][Q]
    std::vector<uint8_t> d_noise_reaches;
    std::vector<float> d_gains;
    block_matrix d_forward;    // C
    block_matrix d_whitening;  // U^H, scaled
    block_matrix d_projection; // B = V^H
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_MEASUREMENT_DENSE_OPERATOR_H */
