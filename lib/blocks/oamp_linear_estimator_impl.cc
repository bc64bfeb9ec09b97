/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "item_check.h"
#include "oamp_linear_estimator_impl.h"
#include <gnuradio/io_signature.h>
#include <algorithm>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

const char* const block_name = "oamp_linear_estimator";

estimation::linear_kind checked_kind(const std::string& name)
{
    const auto& names = estimation::linear_kind_names();
    if (std::find(names.begin(), names.end(), name) == names.end()) {
        std::string known;
        for (const auto& candidate : names)
            known += (known.empty() ? "" : ", ") + candidate;
        throw std::invalid_argument(std::string(block_name) + ": linear expects one of " + known +
                                    ", got '" + name + "'");
    }
    return estimation::linear_kind_of(name);
}

} // namespace

oamp_linear_estimator::sptr oamp_linear_estimator::make(pilot_operator::sptr op,
                                                        const std::string& linear,
                                                        const std::string& dictionary,
                                                        double spacing,
                                                        double noise_var)
{
    checked_operator(block_name, op);
    return gnuradio::make_block_sptr<oamp_linear_estimator_impl>(
        op, checked_kind(linear), dictionary, spacing, checked_noise_var(block_name, noise_var));
}

oamp_linear_estimator_impl::oamp_linear_estimator_impl(pilot_operator::sptr op,
                                                       estimation::linear_kind linear,
                                                       const std::string& dictionary,
                                                       double spacing,
                                                       double noise_var)
    : gr::sync_block(block_name,
                     gr::io_signature::make2(1,
                                             2,
                                             op->n_observations() * sizeof(gr_complex),
                                             op->shape().antennas() * sizeof(gr_complex)),
                     gr::io_signature::make2(
                         1, 2, op->shape().antennas() * sizeof(gr_complex), sizeof(float))),
      linear_stage_block(block_name, op, dictionary, spacing, noise_var),
      d_step(d_stage.model(), linear, 1)
{
}

int oamp_linear_estimator_impl::work(int noutput_items,
                                     gr_vector_const_void_star& input_items,
                                     gr_vector_void_star& output_items)
{
    const auto* y = static_cast<const gr_complex*>(input_items[0]);
    const auto* x =
        input_items.size() > 1 ? static_cast<const gr_complex*>(input_items[1]) : nullptr;
    auto* r = static_cast<gr_complex*>(output_items[0]);
    auto* variances = output_items.size() > 1 ? static_cast<float*>(output_items[1]) : nullptr;
    for (int i = 0; i < noutput_items; i++) {
        float variance = 0.0f;
        run(y, x, i, r, &variance);
        if (variances)
            variances[i] = variance;
        y += d_n_observations;
        r += d_n_antennas;
        x = x ? x + d_n_antennas : nullptr;
    }
    return noutput_items;
}

void oamp_linear_estimator_impl::run(
    const gr_complex* y, const gr_complex* x, int index, gr_complex* r, float* variance)
{
    const auto fault = load(y, x, index);
    if (fault) {
        std::fill_n(r, d_n_antennas, gr_complex(0));
    } else {
        d_step.run(d_stage.z(), d_stage.noise_var(), d_stage.x(), 1, d_stage.r(), variance);
        *variance *= d_stage.amplitude() * d_stage.amplitude();
        d_stage.write_r(r);
    }
    finish(index, fault);
}

} // namespace thzum
} // namespace gr
