/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_AMP_LINEAR_MODULE_IMPL_H
#define INCLUDED_THZUM_AMP_LINEAR_MODULE_IMPL_H

#include "chain_stage.h"
#include "estimation/amp_step.h"
#include <gnuradio/thzum/amp_linear_module.h>
#include <atomic>

namespace gr {
namespace thzum {

class amp_linear_module_impl : public amp_linear_module
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
    void set_noise_var(double noise_var) override;
    double noise_var() const override { return d_fixed_noise_var; }
    uint64_t processed() const override { return d_processed; }
    uint64_t skipped() const override { return d_skipped; }

private:
    item_tags read_tags(int index);
    void finish(int index, const pmt::pmt_t& fault);

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

    const int d_n_observations;
    const int d_n_antennas;
    chain_stage d_stage;
    estimation::amp_step d_step;
    const std::vector<gr_complex> d_zero; /*!< estimate before the first stage */
    std::vector<gr_complex> d_e;
    float d_divergence = 0.0f;
    std::atomic<double> d_fixed_noise_var;
    std::atomic<uint64_t> d_processed{ 0 };
    std::atomic<uint64_t> d_skipped{ 0 };
    std::vector<tag_t> d_tags;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_AMP_LINEAR_MODULE_IMPL_H */
