/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_MEASUREMENT_UNITARY_OBSERVATION_MODEL_H
#define INCLUDED_THZUM_MEASUREMENT_UNITARY_OBSERVATION_MODEL_H

#include <gnuradio/thzum/observation_model.h>
#include <volk/volk_alloc.hh>

namespace gr {
namespace thzum {

/*! Observation model of a square dictionary: U = I, sigma the operator's gains, V^H = B D. */
class unitary_observation_model : public observation_model
{
public:
    unitary_observation_model(pilot_operator::sptr op, dictionary::sptr dict);

    const pilot_operator::sptr& op() const override { return d_op; }
    const dictionary::sptr& dict() const override { return d_dict; }
    int coefficients() const override { return d_op->shape().antennas(); }
    int rank() const override { return d_op->rank(); }
    const std::vector<float>& singular_values() const override { return d_op->gains(); }
    int excess_dimensions() const override { return d_excess; }

    void observe(const gr_complex* y, gr_complex* z, float* excess_energy, int batch) override;
    void to_singular(const gr_complex* c, gr_complex* z, int batch) override;
    void from_singular(const gr_complex* z, gr_complex* c, int batch) override;

private:
    const pilot_operator::sptr d_op;
    const dictionary::sptr d_dict;
    const int d_excess;
    volk::vector<gr_complex> d_channel; // [chunk][N]
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_MEASUREMENT_UNITARY_OBSERVATION_MODEL_H */
