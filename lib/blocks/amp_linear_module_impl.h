/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_AMP_LINEAR_MODULE_IMPL_H
#define INCLUDED_THZUM_AMP_LINEAR_MODULE_IMPL_H

#include "estimation/amp_step.h"
#include "linear_stage_block.h"
#include <gnuradio/thzum/amp_linear_module.h>

namespace gr {
namespace thzum {

class amp_linear_module_impl : public linear_stage_block<amp_linear_module>
{
public:
    amp_linear_module_impl(pilot_operator::sptr op,
                           const std::string& dictionary,
                           double spacing,
                           double noise_var);

    bool check_topology(int ninputs, int noutputs) override;
    int work(int noutput_items,
             gr_vector_const_void_star& input_items,
             gr_vector_void_star& output_items) override;

private:
    /*! Inputs of a later stage; all null in the first. */
    struct before {
        const gr_complex* x;
        const gr_complex* e;
        const float* divergence;
    };

    pmt::pmt_t
    run(const gr_complex* y, const before& from, int index, gr_complex* r, float* variance);
    /*! False when there is NaN or Inf among them. */
    bool set_before(const before& from);
    void write_e(const pmt::pmt_t& fault, gr_complex* out);

    estimation::amp_step d_step;
    const std::vector<gr_complex> d_zero; /*!< estimate before the first stage */
    std::vector<gr_complex> d_e;
    float d_divergence = 0.0f;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_AMP_LINEAR_MODULE_IMPL_H */
