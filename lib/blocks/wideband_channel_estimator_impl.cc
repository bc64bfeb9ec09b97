/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "block_arguments.h"
#include "control_message.h"
#include "estimate_message.h"
#include "frame_tags.h"
#include "item_check.h"
#include "wideband_channel_estimator_impl.h"
#include <gnuradio/io_signature.h>
#include <algorithm>
#include <chrono>
#include <cmath>

namespace gr {
namespace thzum {

namespace {

const char* const block_name = "wideband_channel_estimator";

} // namespace

wideband_channel_estimator::sptr
wideband_channel_estimator::make(pilot_operator::sptr op,
                                 const std::vector<double>& frequencies,
                                 double carrier_frequency,
                                 const std::string& algorithm,
                                 const option_map& options,
                                 double noise_var,
                                 const option_map& array_options)
{
    return gnuradio::make_block_sptr<wideband_channel_estimator_impl>(
        checked_operator(block_name, op)->clone(),
        frequencies,
        carrier_frequency,
        algorithm,
        options,
        checked_noise_var(block_name, noise_var),
        array_options);
}

wideband_channel_estimator_impl::wideband_channel_estimator_impl(
    pilot_operator::sptr op,
    const std::vector<double>& frequencies,
    double carrier_frequency,
    const std::string& algorithm,
    const option_map& options,
    double noise_var,
    const option_map& array_options)
    : gr::sync_block(block_name,
                     gr::io_signature::make(1,
                                            1,
                                            std::max<size_t>(1, frequencies.size()) *
                                                op->n_observations() * sizeof(gr_complex)),
                     gr::io_signature::make(1,
                                            1,
                                            std::max<size_t>(1, frequencies.size()) *
                                                op->shape().antennas() * sizeof(gr_complex))),
      d_op(op),
      d_frequencies(frequencies),
      d_carrier_frequency(carrier_frequency),
      d_array_options(array_options),
      d_in_size(static_cast<int>(frequencies.size()) * op->n_observations()),
      d_out_size(static_cast<int>(frequencies.size()) * op->shape().antennas()),
      d_fixed_noise_var(noise_var)
{
    wideband_channel_estimator_impl::set_algorithm(algorithm, options);
    // Incoming tags are forwarded in finish(): thzum_noise_var is replaced by the value in use.
    set_tag_propagation_policy(TPP_DONT);
    message_port_register_out(ports::report());
    message_port_register_in(ports::control());
    set_msg_handler(ports::control(), [this](const pmt::pmt_t& msg) { handle_control(msg); });
}

void wideband_channel_estimator_impl::set_algorithm(const std::string& name,
                                                    const option_map& options)
{
    option_map all = options;
    for (const auto& [option, value] : d_array_options)
        if (takes_option(wideband_estimators(), name, option))
            all.emplace(option, value);
    // Operators keep scratch memory, and the estimator in use may be running on its own.
    auto built =
        make_wideband_estimator(name, d_op->clone(), d_frequencies, d_carrier_frequency, all);
    const auto symbol = pmt::mp(name);
    std::lock_guard<std::mutex> swap(d_mutex);
    d_estimator.swap(built);
    d_algorithm = symbol;
    d_is_warned = false;
}

void wideband_channel_estimator_impl::set_noise_var(double noise_var)
{
    d_fixed_noise_var = checked_noise_var(block_name, noise_var);
}

std::string wideband_channel_estimator_impl::algorithm() const
{
    std::lock_guard<std::mutex> lock(d_mutex);
    return pmt::symbol_to_string(d_algorithm);
}

std::string wideband_channel_estimator_impl::settings() const
{
    std::lock_guard<std::mutex> lock(d_mutex);
    return d_estimator->repr();
}

void wideband_channel_estimator_impl::handle_control(const pmt::pmt_t& message)
{
    try {
        const auto control =
            read_algorithm_control(message, block_name, algorithm(), d_fixed_noise_var);
        if (control.is_new_algorithm)
            set_algorithm(control.algorithm, control.options);
        d_fixed_noise_var = control.noise_var;
    } catch (const std::exception& error) {
        d_logger->warn("control message dropped: {}", error.what());
    }
}

int wideband_channel_estimator_impl::work(int noutput_items,
                                          gr_vector_const_void_star& input_items,
                                          gr_vector_void_star& output_items)
{
    const auto* y = static_cast<const gr_complex*>(input_items[0]);
    auto* h = static_cast<gr_complex*>(output_items[0]);
    for (int i = 0; i < noutput_items; i++, y += d_in_size, h += d_out_size) {
        get_tags_in_window(d_tags, 0, i, i + 1);
        float noise_var = 0.0f;
        auto fault = read_item(y, &noise_var);
        std::lock_guard<std::mutex> lock(d_mutex);
        if (!fault)
            fault = estimate(y, noise_var > 0.0f ? &noise_var : nullptr, h);
        if (fault)
            std::fill_n(h, d_out_size, gr_complex(0));
        finish(nitems_written(0) + i, fault);
    }
    return noutput_items;
}

pmt::pmt_t wideband_channel_estimator_impl::read_item(const gr_complex* y, float* noise_var)
{
    d_item = item_tags();
    for (const auto& tag : d_tags)
        d_item.read(tag);
    const double fixed = d_fixed_noise_var;
    const double value = fixed > 0.0 ? fixed : d_item.noise_var;
    *noise_var = static_cast<float>(value);
    if (d_item.skipped)
        return d_item.skipped;
    if (const auto& fault = item_fault(y, d_in_size))
        return fault;
    const bool is_given = fixed > 0.0 || d_item.has_noise_var;
    return is_given && !is_usable_noise_var(value) ? skip_reason::noise_var() : pmt::pmt_t();
}

pmt::pmt_t wideband_channel_estimator_impl::estimate(const gr_complex* y,
                                                     const float* noise_var,
                                                     gr_complex* h)
{
    using clock = std::chrono::steady_clock;
    const auto begun = clock::now();
    try {
        d_estimator->estimate(y, noise_var, 1, h, &d_report);
    } catch (const std::exception& error) {
        if (!d_is_warned)
            d_logger->warn("{}: items skipped: {}", d_estimator->name(), error.what());
        d_is_warned = true;
        return noise_var ? skip_reason::diverged() : skip_reason::no_noise_var();
    }
    d_latency_us = std::chrono::duration<double, std::micro>(clock::now() - begun).count();
    return std::isfinite(item_energy(h, d_out_size)) ? pmt::pmt_t() : skip_reason::diverged();
}

void wideband_channel_estimator_impl::finish(uint64_t offset, const pmt::pmt_t& fault)
{
    ++(fault ? d_skipped : d_estimates);
    for (const auto& tag : d_tags)
        if (tag.key != tags::noise_var() || fault)
            add_item_tag(0, tag);
    if (!fault)
        for (const auto& [key, value] : estimate_tags(d_report))
            add_item_tag(0, offset, key, value);
    else if (!d_item.skipped)
        add_item_tag(0, offset, tags::skipped(), fault);
    if (!pmt::is_null(message_subscribers(ports::report())))
        message_port_pub(ports::report(),
                         estimate_message(d_algorithm, d_item, fault, d_report, d_latency_us));
}

} // namespace thzum
} // namespace gr
