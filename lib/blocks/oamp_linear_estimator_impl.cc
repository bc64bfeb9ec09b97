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
    if (!op)
        throw std::invalid_argument(std::string(block_name) +
                                    ": op expects a pilot_operator, got none");
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
      d_n_observations(op->n_observations()),
      d_n_antennas(op->shape().antennas()),
      d_stage(block_name, op, dictionary, spacing),
      d_step(d_stage.model(), linear, 1),
      d_fixed_noise_var(noise_var)
{
    set_tag_propagation_policy(TPP_DONT);
}

void oamp_linear_estimator_impl::set_noise_var(double noise_var)
{
    d_fixed_noise_var = checked_noise_var(block_name, noise_var);
}

item_tags oamp_linear_estimator_impl::read_tags(int index)
{
    item_tags read;
    get_tags_in_window(d_tags, 0, index, index + 1);
    for (const auto& tag : d_tags)
        read.read(tag);
    return read;
}

void oamp_linear_estimator_impl::finish(int index, const pmt::pmt_t& fault)
{
    const uint64_t offset = nitems_written(0) + index;
    bool is_tagged = false;
    for (const auto& tag : d_tags) {
        is_tagged |= tag.key == tags::skipped();
        if (tag.key != tags::amplitude())
            add_item_tag(0, tag);
    }
    ++(fault ? d_skipped : d_processed);
    if (!fault)
        add_item_tag(0, offset, tags::amplitude(), pmt::from_double(d_stage.amplitude()));
    else if (!is_tagged)
        add_item_tag(0, offset, tags::skipped(), fault);
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
    const auto fault = d_stage.load(y, x, read_tags(index), d_fixed_noise_var);
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
