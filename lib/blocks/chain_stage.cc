/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "block_arguments.h"
#include "chain_stage.h"
#include "item_check.h"
#include <cmath>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

observation_model::sptr make_model(const std::string& block,
                                   const pilot_operator::sptr& op,
                                   const std::string& dictionary_name,
                                   double spacing)
{
    const auto& shape = checked_operator(block, op)->shape();
    return observation_model::make(
        op->clone(), dictionary::make(dictionary_name, shape.rows, shape.cols, spacing));
}

} // namespace

chain_stage::chain_stage(const std::string& block,
                         const pilot_operator::sptr& op,
                         const std::string& dictionary,
                         double spacing)
    : d_scaler(make_model(block, op, dictionary, spacing), spacing, estimation::default_noise_paths, 1),
      d_n_antennas(model()->op()->shape().antennas()),
      d_x(model()->coefficients()),
      d_r(model()->coefficients()),
      d_antennas(d_n_antennas)
{
}

pmt::pmt_t chain_stage::load(const gr_complex* y,
                             const gr_complex* x,
                             const item_tags& tags,
                             double fixed_noise_var)
{
    if (tags.skipped)
        return tags.skipped;
    if (const auto& fault = item_fault(y, model()->op()->n_observations()))
        return fault;
    if (x && !(item_energy(x, d_n_antennas) < largest_item_energy))
        return skip_reason::nan();

    const bool is_given = fixed_noise_var > 0.0 || tags.has_noise_var;
    const double noise_var = fixed_noise_var > 0.0 ? fixed_noise_var : tags.noise_var;
    if (is_given && !is_usable_noise_var(noise_var))
        return skip_reason::noise_var();
    const auto given = static_cast<float>(noise_var);
    try {
        if (d_scaler.load(y, is_given ? &given : nullptr, 1) == 0)
            return skip_reason::zero();
    } catch (const std::invalid_argument&) {
        return skip_reason::no_noise_var();
    }

    d_has_x = x != nullptr;
    if (x) {
        const float scale = 1.0f / amplitude();
        for (int i = 0; i < d_n_antennas; i++)
            d_antennas[i] = scale * x[i];
        model()->dict()->analyze(d_antennas.data(), d_x.data(), model()->op()->shape().n_subarrays);
    }
    return nullptr;
}

void chain_stage::write_r(gr_complex* out)
{
    model()->dict()->synthesize(d_r.data(), out, model()->op()->shape().n_subarrays);
    for (int i = 0; i < d_n_antennas; i++)
        out[i] *= amplitude();
}

} // namespace thzum
} // namespace gr
