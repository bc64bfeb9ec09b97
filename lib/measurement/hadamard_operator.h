/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_MEASUREMENT_HADAMARD_OPERATOR_H
#define INCLUDED_THZUM_MEASUREMENT_HADAMARD_OPERATOR_H

#include <gnuradio/thzum/pilot_operator.h>
#include <volk/volk_alloc.hh>

namespace gr {
namespace thzum {

/*! Semi-orthogonal pilot operator by fast Walsh-Hadamard transforms: A = diag(mask) B, gains 1 or 0. */
class hadamard_operator : public pilot_operator
{
public:
    hadamard_operator(const array_shape& shape, int n_slots, uint64_t seed);

    const array_shape& shape() const override { return d_shape; }
    int n_slots() const override { return d_slots; }
    noise_model model() const override { return noise_model::per_slot; }
    bool is_fast() const override { return true; }
    const std::vector<gr_complex>& combiner() const override { return d_combiner; }
    int rank() const override { return d_slots; }
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
    void draw();
    void fill_combiner();
    /*! y = diag(mask) x; x may be y. */
    void apply_mask(const gr_complex* x, gr_complex* y, int batch) const;

    const array_shape d_shape;
    const int d_slots;
    const uint64_t d_seed;
    std::vector<gr_complex> d_combiner;
    std::vector<float> d_gains;
    std::vector<uint8_t> d_mask; // [S][Q]
    std::vector<uint8_t> d_noise_reaches;
    bool d_masked = false;
    volk::vector<gr_complex> d_heard; // [S*Q], input of the adjoint
    volk::vector<float> d_signs;        // [S][n], +-1/sqrt(n)
    std::vector<int> d_rows;            // [S][Q], rows of the Hadamard matrix
    volk::vector<gr_complex> d_scratch; // [n]
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_MEASUREMENT_HADAMARD_OPERATOR_H */
