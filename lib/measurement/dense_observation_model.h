/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_MEASUREMENT_DENSE_OBSERVATION_MODEL_H
#define INCLUDED_THZUM_MEASUREMENT_DENSE_OBSERVATION_MODEL_H

#include "measurement/block_matrix.h"
#include <gnuradio/thzum/observation_model.h>

namespace gr {
namespace thzum {

/*!
 * \brief Observation model by singular value decomposition of diag(gains) B D per subarray.
 *
 * Atoms of D that are a real vector times a phase (1, j, -1 or -j) are taken as real, the phases
 * being applied to the coefficients instead: with a real combiner V is then real, at half the cost.
 */
class dense_observation_model : public observation_model
{
public:
    dense_observation_model(pilot_operator::sptr op, dictionary::sptr dict);

    const pilot_operator::sptr& op() const override { return d_op; }
    const dictionary::sptr& dict() const override { return d_dict; }
    int coefficients() const override { return d_op->shape().n_subarrays * d_dict->coefficients(); }
    int rank() const override { return d_rank; }
    const std::vector<float>& singular_values() const override { return d_singular_values; }
    int excess_dimensions() const override { return d_excess; }

    void observe(const gr_complex* y, gr_complex* z, float* excess_energy, int batch) override;
    void to_singular(const gr_complex* c, gr_complex* z, int batch) override;
    void from_singular(const gr_complex* z, gr_complex* c, int batch) override;

private:
    void factorize_operator();
    float split_observation(const gr_complex* full, gr_complex* z) const;

    const pilot_operator::sptr d_op;
    const dictionary::sptr d_dict;
    const int d_rank;
    int d_excess;
    std::vector<float> d_singular_values;
    block_matrix d_left;                        // U^H [S][R][R]
    block_matrix d_right;                       // V^H [S][r][k], of coefficients times phase
    volk::vector<gr_complex> d_phase;           // [S*k]
    volk::vector<gr_complex> d_conjugate_phase; // [S*k]
    volk::vector<gr_complex> d_coefficients;    // [chunk][S*k]
    volk::vector<gr_complex> d_whitened;        // [chunk][S*R]
    volk::vector<gr_complex> d_full;            // [chunk][S*R], U^H times whitened
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_MEASUREMENT_DENSE_OBSERVATION_MODEL_H */
