/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_OAMP_LINEAR_ESTIMATOR_IMPL_H
#define INCLUDED_THZUM_OAMP_LINEAR_ESTIMATOR_IMPL_H

#include "chain_stage.h"
#include "estimation/linear_step.h"
#include <gnuradio/thzum/oamp_linear_estimator.h>
#include <atomic>

namespace gr {
namespace thzum {

class oamp_linear_estimator_impl : public oamp_linear_estimator
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
    void set_noise_var(double noise_var) override;
    double noise_var() const override { return d_fixed_noise_var; }
    uint64_t processed() const override { return d_processed; }
    uint64_t skipped() const override { return d_skipped; }

private:
    item_tags read_tags(int index);
    void finish(int index, const pmt::pmt_t& fault);

    void run(const gr_complex* y, const gr_complex* x, int index, gr_complex* r, float* variance);

    const int d_n_observations;
    const int d_n_antennas;
    chain_stage d_stage;
    estimation::linear_step d_step;
    std::atomic<double> d_fixed_noise_var;
    std::atomic<uint64_t> d_processed{ 0 };
    std::atomic<uint64_t> d_skipped{ 0 };
    std::vector<tag_t> d_tags;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_OAMP_LINEAR_ESTIMATOR_IMPL_H */
