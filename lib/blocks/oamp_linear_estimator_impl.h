/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_OAMP_LINEAR_ESTIMATOR_IMPL_H
#define INCLUDED_THZUM_OAMP_LINEAR_ESTIMATOR_IMPL_H

#include "estimation/linear_step.h"
#include "linear_stage_block.h"
#include <gnuradio/thzum/oamp_linear_estimator.h>

namespace gr {
namespace thzum {

class oamp_linear_estimator_impl : public linear_stage_block<oamp_linear_estimator>
{
public:
    oamp_linear_estimator_impl(pilot_operator::sptr op,
                               estimation::linear_kind linear,
                               const std::string& dictionary,
                               double spacing,
                               double noise_var);

    int work(int noutput_items,
             gr_vector_const_void_star& input_items,
             gr_vector_void_star& output_items) override;

private:
    void run(const gr_complex* y, const gr_complex* x, int index, gr_complex* r, float* variance);

    estimation::linear_step d_step;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_OAMP_LINEAR_ESTIMATOR_IMPL_H */
