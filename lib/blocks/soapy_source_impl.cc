/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "control_message.h"
#include "frame_tags.h"
#include "soapy_source_impl.h"
#include <gnuradio/io_signature.h>
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

const pmt::pmt_t rx_time_key = pmt::mp("rx_time");
const pmt::pmt_t lost_key = pmt::mp("thzum_lost");
constexpr int most_overflows = 16; // behind each other, until the scheduler may stop the flowgraph
const pmt::pmt_t overflows_entry = pmt::mp("overflows");
const pmt::pmt_t lost_entry = pmt::mp("lost_samples");
const pmt::pmt_t unfilled_entry = pmt::mp("unfilled_samples");
const pmt::pmt_t time_entry = pmt::mp("time");

constexpr int64_t nanoseconds = 1000000000;

std::string setting_text(const std::string& key, const pmt::pmt_t& value)
{
    if (pmt::is_symbol(value))
        return pmt::symbol_to_string(value);
    if (pmt::is_bool(value))
        return pmt::to_bool(value) ? "true" : "false";
    if (pmt::is_integer(value))
        return std::to_string(pmt::to_long(value));
    std::ostringstream text;
    text.precision(17);
    text << control_number(key, value);
    return text.str();
}

} // namespace

soapy_source::sptr soapy_source::make(const soapy_source_settings& settings)
{
    if (!(std::isfinite(settings.longest_gap) && settings.longest_gap >= 0))
        throw std::invalid_argument("longest_gap: expected seconds of at least 0, got " +
                                    std::to_string(settings.longest_gap));
    return gnuradio::make_block_sptr<soapy_source_impl>(soapy_receiver::make(settings),
                                                        settings.longest_gap);
}

bool soapy_source::is_available() { return soapy_receiver::is_available(); }

soapy_source_impl::soapy_source_impl(std::unique_ptr<soapy_receiver> receiver, double longest_gap)
    : gr::sync_block(
          "soapy_source",
          gr::io_signature::make(0, 0, 0),
          gr::io_signature::make(receiver->n_chains(), receiver->n_chains(), sizeof(gr_complex))),
      d_receiver(std::move(receiver)),
      d_n_chains(d_receiver->n_chains()),
      d_rate(d_receiver->sample_rate()),
      d_longest_gap(int64_t(std::min(longest_gap * d_rate, 1e15))),
      d_samples(d_n_chains, std::vector<gr_complex>(d_receiver->packet_size()))
{
    for (auto& chain : d_samples)
        d_pointers.push_back(chain.data());
    message_port_register_in(ports::control());
    set_msg_handler(ports::control(), [this](const pmt::pmt_t& msg) { take_control(msg); });
    message_port_register_out(ports::report());
}

void soapy_source_impl::set_setting(const std::string& key, const std::string& value)
{
    d_receiver->set_setting(key, value);
}

std::map<std::string, std::string> soapy_source_impl::information() const
{
    return d_receiver->information();
}

void soapy_source_impl::take_control(const pmt::pmt_t& message)
{
    try {
        for (const auto& [key, value] : control_entries(message)) {
            if (key == "frequency")
                set_frequency(control_number(key, value));
            else if (key == "gain")
                set_gain(control_number(key, value), -1);
            else
                set_setting(key, setting_text(key, value));
        }
    } catch (const std::exception& error) {
        d_logger->warn("control message dropped: {}", error.what());
    }
}

bool soapy_source_impl::start()
{
    d_packet = {};
    d_taken = 0;
    d_gap = d_gap_lost = 0;
    d_is_time_new = true;
    d_has_failed = false;
    d_receiver->start();
    return sync_block::start();
}

bool soapy_source_impl::stop()
{
    d_receiver->stop();
    return sync_block::stop();
}

// Another packet of the device, unless it has none at present.
bool soapy_source_impl::fetch()
{
    d_taken = 0;
    d_packet = d_receiver->read(d_pointers);
    switch (d_packet.status) {
    case soapy_packet::kind::samples:
        d_received += d_packet.count;
        meet_time();
        return true;
    case soapy_packet::kind::overflow:
        d_overflows++;
        if (d_overflows == 1)
            d_logger->warn("overflow: samples come faster than the flowgraph takes them; lower the "
                           "sample rate or use a cheaper estimator (reported once)");
        return false;
    case soapy_packet::kind::failure:
        d_has_failed = true;
        d_logger->error("{} failed: {}; the stream ends", d_receiver->name(), d_packet.error);
        return false;
    default:
        return false;
    }
}

// Compares the packet's time with that of the samples so far.
void soapy_source_impl::meet_time()
{
    if (!d_packet.has_time) {
        d_next_tick += d_packet.count;
        return;
    }
    const int64_t tick = std::llround(double(d_packet.time_ns / nanoseconds) * d_rate) +
                         std::llround(double(d_packet.time_ns % nanoseconds) * 1e-9 * d_rate);
    const int64_t lost = d_is_time_new ? 0 : tick - d_next_tick;
    d_next_tick = tick + d_packet.count;
    if (lost == 0)
        return;
    d_is_time_new = true;
    if (lost < 0) {
        d_logger->warn("{}: time went back by {} samples", d_receiver->name(), -lost);
        return;
    }
    d_gap = std::min(lost, d_longest_gap);
    d_gap_lost = lost;
    d_lost += lost;
    d_unfilled += lost - d_gap;
    report();
}

void soapy_source_impl::report()
{
    auto dict = pmt::dict_add(pmt::make_dict(), overflows_entry, pmt::from_long(long(d_overflows)));
    dict = pmt::dict_add(dict, lost_entry, pmt::from_long(long(d_lost)));
    dict = pmt::dict_add(dict, unfilled_entry, pmt::from_long(long(d_unfilled)));
    dict = pmt::dict_add(dict, time_entry, pmt::from_double(double(d_packet.time_ns) * 1e-9));
    message_port_pub(ports::report(), dict);
}

void soapy_source_impl::tag_all(const pmt::pmt_t& key, const pmt::pmt_t& value, int offset)
{
    for (int s = 0; s < d_n_chains; s++)
        add_item_tag(s, nitems_written(s) + offset, key, value);
}

int soapy_source_impl::put_gap(gr_vector_void_star& outputs, int room)
{
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    if (d_gap_lost > 0 && room > 0) {
        tag_all(lost_key, pmt::from_long(long(d_gap_lost)), 0);
        d_gap_lost = 0;
    }
    const int count = int(std::min<int64_t>(d_gap, room));
    for (int s = 0; s < d_n_chains; s++)
        std::fill_n(static_cast<gr_complex*>(outputs[s]), count, gr_complex(nan, nan));
    d_gap -= count;
    return count;
}

int soapy_source_impl::put_samples(gr_vector_void_star& outputs, int room)
{
    const int count = std::min(d_packet.count - d_taken, room);
    if (d_is_time_new && d_packet.has_time && count > 0) {
        const auto seconds = pmt::from_uint64(uint64_t(d_packet.time_ns / nanoseconds));
        const auto fraction = pmt::from_double(double(d_packet.time_ns % nanoseconds) * 1e-9);
        tag_all(rx_time_key, pmt::make_tuple(seconds, fraction), 0);
        d_is_time_new = false;
    }
    for (int s = 0; s < d_n_chains; s++)
        std::copy_n(d_pointers[s] + d_taken, count, static_cast<gr_complex*>(outputs[s]));
    d_taken += count;
    return count;
}

int soapy_source_impl::work(int noutput_items,
                            gr_vector_const_void_star&,
                            gr_vector_void_star& output_items)
{
    // Behind an overflow at once: the scheduler lets a source that gives nothing wait for 250 ms,
    // in which a device with little room overflows again.
    for (int tries = 1; d_taken == d_packet.count && !fetch(); tries++)
        if (d_packet.status != soapy_packet::kind::overflow || tries == most_overflows)
            return d_has_failed ? WORK_DONE : 0;
    if (d_gap > 0 || d_gap_lost > 0)
        if (const int count = put_gap(output_items, noutput_items))
            return count;
    return put_samples(output_items, noutput_items);
}

} // namespace thzum
} // namespace gr
