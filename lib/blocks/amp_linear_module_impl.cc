/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "amp_linear_module_impl.h"
#include "item_check.h"
#include <gnuradio/io_signature.h>
#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

const char* const block_name = "amp_linear_module";

gr::io_signature::sptr inputs(const pilot_operator& op)
{
    const int observations = op.n_observations() * sizeof(gr_complex);
    const int antennas = op.shape().antennas() * sizeof(gr_complex);
    return gr::io_signature::makev(1, 4, { observations, antennas, observations, sizeof(float) });
}

gr::io_signature::sptr outputs(const pilot_operator& op)
{
    const int observations = op.n_observations() * sizeof(gr_complex);
    const int antennas = op.shape().antennas() * sizeof(gr_complex);
    return gr::io_signature::make3(1, 3, antennas, sizeof(float), observations);
}

} // namespace

amp_linear_module::sptr amp_linear_module::make(pilot_operator::sptr op,
                                                const std::string& dictionary,
                                                double spacing,
                                                double noise_var)
{
    checked_operator(block_name, op);
    return gnuradio::make_block_sptr<amp_linear_module_impl>(
        op, dictionary, spacing, checked_noise_var(block_name, noise_var));
}

amp_linear_module_impl::amp_linear_module_impl(pilot_operator::sptr op,
                                               const std::string& dictionary,
                                               double spacing,
                                               double noise_var)
    : gr::sync_block(block_name, inputs(*op), outputs(*op)),
      linear_stage_block(block_name, op, dictionary, spacing, noise_var),
      d_step(d_stage.model(), 1),
      d_zero(d_stage.model()->coefficients()),
      d_e(d_stage.model()->singular_values().size())
{
}

bool amp_linear_module_impl::check_topology(int ninputs, int)
{
    if (ninputs == 1 || ninputs == 4)
        return true;
    d_logger->error("connect y alone in the first stage, and y, x, e_before and divergence in a "
                    "later one; {} inputs are connected",
                    ninputs);
    return false;
}

int amp_linear_module_impl::work(int noutput_items,
                                 gr_vector_const_void_star& input_items,
                                 gr_vector_void_star& output_items)
{
    const auto* y = static_cast<const gr_complex*>(input_items[0]);
    before from{ nullptr, nullptr, nullptr };
    if (input_items.size() > 3)
        from = { static_cast<const gr_complex*>(input_items[1]),
                 static_cast<const gr_complex*>(input_items[2]),
                 static_cast<const float*>(input_items[3]) };
    auto* r = static_cast<gr_complex*>(output_items[0]);
    auto* variances = output_items.size() > 1 ? static_cast<float*>(output_items[1]) : nullptr;
    auto* e = output_items.size() > 2 ? static_cast<gr_complex*>(output_items[2]) : nullptr;
    for (int i = 0; i < noutput_items; i++) {
        float variance = 0.0f;
        const auto fault = run(y, from, i, r, &variance);
        if (variances)
            variances[i] = variance;
        if (e)
            write_e(fault, e + static_cast<size_t>(i) * d_n_observations);
        y += d_n_observations;
        r += d_n_antennas;
        if (from.x)
            from = { from.x + d_n_antennas, from.e + d_n_observations, from.divergence + 1 };
    }
    return noutput_items;
}

pmt::pmt_t amp_linear_module_impl::run(
    const gr_complex* y, const before& from, int index, gr_complex* r, float* variance)
{
    auto fault = load(y, from.x, index);
    if (!fault && !set_before(from))
        fault = skip_reason::nan();
    if (fault) {
        std::fill_n(r, d_n_antennas, gr_complex(0));
    } else {
        const auto* x = d_stage.x() ? d_stage.x() : d_zero.data();
        d_step.run(d_stage.z(), x, &d_divergence, 0.0f, 1, d_e.data(), d_stage.r(), variance);
        *variance *= d_stage.amplitude() * d_stage.amplitude();
        d_stage.write_r(r);
    }
    finish(index, fault);
    return fault;
}

bool amp_linear_module_impl::set_before(const before& from)
{
    std::fill(d_e.begin(), d_e.end(), gr_complex(0));
    d_divergence = 0.0f;
    if (!from.x)
        return true;
    d_divergence = *from.divergence;
    const float scale = 1.0f / d_stage.amplitude();
    for (size_t i = 0; i < d_e.size(); i++)
        d_e[i] = scale * from.e[i];
    return std::isfinite(d_divergence) && std::isfinite(item_energy(d_e.data(), d_e.size()));
}

void amp_linear_module_impl::write_e(const pmt::pmt_t& fault, gr_complex* out)
{
    std::fill_n(out, d_n_observations, gr_complex(0));
    if (fault)
        return;
    for (size_t i = 0; i < d_e.size(); i++)
        out[i] = d_stage.amplitude() * d_e[i];
}

} // namespace thzum
} // namespace gr
