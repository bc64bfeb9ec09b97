/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "control_message.h"
#include "frame_tags.h"
#include "rf_impairments_impl.h"
#include <gnuradio/io_signature.h>
#include <algorithm>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

constexpr int max_chains = 64;

// Fewer outputs at a time would not let a fast sampling clock take even one sample.
constexpr int least_outputs = 8;

const pmt::pmt_t replaced_entry = pmt::mp("replaced");

option_map with_defaults(const option_map& given)
{
    option_map all = given;
    for (const auto& option : rf_impairments_info().options)
        all.insert({ option.name, option.default_value });
    return all;
}

receiver_settings read_settings(const option_map& options, double sample_rate)
{
    return read_receiver(option_reader(rf_impairments_info(), options), sample_rate);
}

} // namespace

const algorithm_info& rf_impairments_info()
{
    static const algorithm_info info{ "rf_impairments",
                                      "hardware of a sub-terahertz receiver",
                                      receiver_options() };
    return info;
}

rf_impairments::sptr
rf_impairments::make(int n_chains, double sample_rate, const option_map& options)
{
    if (n_chains < 1 || n_chains > max_chains)
        throw std::invalid_argument("rf_impairments: n_chains: expected 1 to 64, got " +
                                    std::to_string(n_chains));
    const auto settings = read_settings(options, sample_rate);
    return gnuradio::make_block_sptr<rf_impairments_impl>(
        n_chains, sample_rate, with_defaults(options), settings);
}

rf_impairments_impl::rf_impairments_impl(int n_chains,
                                         double sample_rate,
                                         const option_map& options,
                                         const receiver_settings& settings)
    : gr::block("rf_impairments",
                gr::io_signature::make(n_chains, n_chains, sizeof(gr_complex)),
                gr::io_signature::make(n_chains, n_chains, sizeof(gr_complex))),
      d_n_chains(n_chains),
      d_sample_rate(sample_rate),
      d_has_clock(settings.sampling_offset_ppm.has_value()),
      d_options(options),
      d_settings(settings),
      d_chain(std::make_unique<receiver_chain>(settings, n_chains)),
      d_in(n_chains),
      d_out(n_chains)
{
    set_tag_propagation_policy(TPP_DONT);
    if (d_has_clock) {
        set_relative_rate(d_chain->clock()->rate());
        set_min_noutput_items(least_outputs);
    }
    message_port_register_in(ports::control());
    set_msg_handler(ports::control(), [this](const pmt::pmt_t& msg) { handle_control(msg); });
    message_port_register_out(ports::report());
}

void rf_impairments_impl::set_options(const option_map& options)
{
    gr::thread::scoped_lock guard(d_mutex);
    option_map changed = d_options;
    for (const auto& [name, value] : options)
        changed[name] = value;
    const auto settings = read_settings(changed, d_sample_rate);
    d_chain->update(settings);
    d_settings = settings;
    d_options = changed;
}

option_map rf_impairments_impl::options() const
{
    gr::thread::scoped_lock guard(d_mutex);
    return d_options;
}

void rf_impairments_impl::handle_control(const pmt::pmt_t& message)
{
    try {
        set_options(control_options(message));
    } catch (const std::exception& error) {
        d_logger->warn("control message dropped: {}", error.what());
    }
}

// A flowgraph that runs again begins anew, with the same noise.
bool rf_impairments_impl::start()
{
    gr::thread::scoped_lock guard(d_mutex);
    d_chain = std::make_unique<receiver_chain>(d_settings, d_n_chains);
    return block::start();
}

void rf_impairments_impl::forecast(int noutput_items, gr_vector_int& ninput_items_required)
{
    std::fill(ninput_items_required.begin(),
              ninput_items_required.end(),
              d_has_clock ? 1 : noutput_items);
}

int rf_impairments_impl::general_work(int noutput_items,
                                      gr_vector_int& ninput_items,
                                      gr_vector_const_void_star& input_items,
                                      gr_vector_void_star& output_items)
{
    for (int s = 0; s < d_n_chains; s++) {
        d_in[s] = static_cast<const gr_complex*>(input_items[s]);
        d_out[s] = static_cast<gr_complex*>(output_items[s]);
    }
    const int available = *std::min_element(ninput_items.begin(), ninput_items.end());
    gr::thread::scoped_lock guard(d_mutex);
    const auto done = d_chain->process(d_in.data(), available, d_out.data(), noutput_items);
    forward_tags(done.consumed);
    consume_each(done.consumed);
    if (done.replaced > 0)
        report_replaced(done.replaced);
    return done.produced;
}

void rf_impairments_impl::forward_tags(int consumed)
{
    for (int s = 0; s < d_n_chains; s++) {
        get_tags_in_window(d_tags, s, 0, consumed);
        for (auto& tag : d_tags) {
            if (d_has_clock)
                tag.offset = d_chain->clock()->output_index(tag.offset);
            add_item_tag(s, tag);
        }
    }
}

void rf_impairments_impl::report_replaced(int count)
{
    if (d_replaced == 0)
        d_logger->warn("samples that are not finite become zero; the port report counts them");
    d_replaced += count;
    message_port_pub(ports::report(),
                     pmt::dict_add(pmt::make_dict(), replaced_entry, pmt::from_uint64(d_replaced)));
}

} // namespace thzum
} // namespace gr
