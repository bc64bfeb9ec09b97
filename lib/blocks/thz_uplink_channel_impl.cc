/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "control_message.h"
#include "frame_tags.h"
#include "thz_uplink_channel_impl.h"
#include <gnuradio/block_detail.h>
#include <gnuradio/buffer.h>
#include <gnuradio/buffer_reader.h>
#include <gnuradio/io_signature.h>
#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

namespace gr {
namespace thzum {

namespace {

constexpr int buffered_instants = 16; // true channels that may wait for the estimates beside them

const pmt::pmt_t sample_key = pmt::mp("thzum_sample");
const pmt::pmt_t bad_samples_entry = pmt::mp("bad_samples");

int64_t control_integer(const std::string& key, const pmt::pmt_t& value)
{
    if (pmt::is_integer(value))
        return pmt::to_long(value);
    if (!pmt::is_uint64(value) || pmt::to_uint64(value) >> 63)
        throw std::invalid_argument(key + ": expected an integer, got " + pmt::write_string(value));
    return int64_t(pmt::to_uint64(value));
}

std::vector<int64_t> control_integers(const std::string& key, const pmt::pmt_t& value)
{
    std::vector<int64_t> integers;
    if (pmt::is_s32vector(value)) {
        const auto elements = pmt::s32vector_elements(value);
        integers.assign(elements.begin(), elements.end());
    } else if (pmt::is_s64vector(value)) {
        integers = pmt::s64vector_elements(value);
    } else if (pmt::is_vector(value)) {
        for (size_t i = 0; i < pmt::length(value); i++)
            integers.push_back(control_integer(key, pmt::vector_ref(value, i)));
    } else if (pmt::is_pair(value)) {
        for (auto rest = value; pmt::is_pair(rest); rest = pmt::cdr(rest))
            integers.push_back(control_integer(key, pmt::car(rest)));
    } else {
        throw std::invalid_argument(key + ": expected an s32vector, a vector or a list of " +
                                    "integers, got " + pmt::write_string(value));
    }
    return integers;
}

std::vector<int> entries_of(const std::string& key, const std::vector<int64_t>& values)
{
    std::vector<int> entries;
    for (const int64_t value : values) {
        if (value != int(value))
            throw std::invalid_argument(key + ": expected entries of the combiner table, got " +
                                        std::to_string(value));
        entries.push_back(int(value));
    }
    return entries;
}

std::vector<int> output_sizes(const array_shape& shape)
{
    std::vector<int> sizes(shape.n_subarrays, sizeof(gr_complex));
    sizes.push_back(int(shape.antennas() * sizeof(gr_complex)));
    return sizes;
}

} // namespace

thz_uplink_channel::sptr thz_uplink_channel::make(const uplink_parameters& parameters)
{
    return gnuradio::make_block_sptr<thz_uplink_channel_impl>(uplink_channel::make(parameters));
}

thz_uplink_channel_impl::thz_uplink_channel_impl(uplink_channel::sptr channel)
    : gr::block("thz_uplink_channel",
                gr::io_signature::make(channel->n_users(), channel->n_users(), sizeof(gr_complex)),
                gr::io_signature::makev(channel->shape().n_subarrays,
                                        channel->shape().n_subarrays + 1,
                                        output_sizes(channel->shape()))),
      d_channel(channel),
      d_next_channel(channel->next_channel_sample(channel->time())),
      d_tail_left(channel->tail()),
      d_x(channel->n_users()),
      d_y(channel->shape().n_subarrays),
      d_zeros(channel->tail())
{
    set_tag_propagation_policy(TPP_DONT);
    set_min_output_buffer(channel->shape().n_subarrays, buffered_instants * channel->n_users());
    message_port_register_in(ports::control());
    message_port_register_out(ports::report());
    set_msg_handler(ports::control(), [this](const pmt::pmt_t& msg) { handle_control(msg); });
}

void thz_uplink_channel_impl::set_schedule(const std::vector<int>& entries,
                                           const std::vector<int64_t>& lengths,
                                           int64_t sample)
{
    std::lock_guard<std::mutex> lock(d_mutex);
    d_channel->set_schedule({ entries, lengths, sample }, sample);
}

void thz_uplink_channel_impl::set_entry(int entry)
{
    std::lock_guard<std::mutex> lock(d_mutex);
    d_channel->set_schedule({ { entry }, { 1 }, 0 }, d_channel->time());
}

void thz_uplink_channel_impl::set_noise_var(double noise_var)
{
    std::lock_guard<std::mutex> lock(d_mutex);
    d_channel->set_noise_var(noise_var);
}

double thz_uplink_channel_impl::noise_var() const
{
    std::lock_guard<std::mutex> lock(d_mutex);
    return d_channel->noise_var();
}

uint64_t thz_uplink_channel_impl::bad_samples() const
{
    std::lock_guard<std::mutex> lock(d_mutex);
    return d_channel->bad_samples();
}

void thz_uplink_channel_impl::handle_control(const pmt::pmt_t& message)
{
    try {
        auto entries = control_entries(message);
        const auto take = [&](const char* key) {
            const auto node = entries.extract(key);
            return node.empty() ? pmt::pmt_t() : node.mapped();
        };
        const auto entry = take("entry"), frame = take("entries"), lengths = take("lengths");
        const auto sample = take("sample"), noise_var = take("noise_var");
        for (const char* for_hardware : { "frame", "time", "sample_rate", "beams" })
            entries.erase(for_hardware);
        if (!entries.empty())
            throw std::invalid_argument(
                "expected the keys entry, entries, lengths, sample or noise_var, got '" +
                entries.begin()->first + "'");
        if (bool(frame) != bool(lengths) || (frame && entry) || (sample && !entry && !frame))
            throw std::invalid_argument("expected entry, or entries and lengths, of the combiners "
                                        "from the sample on");
        std::lock_guard<std::mutex> lock(d_mutex);
        const int64_t from = sample ? control_integer("sample", sample) : d_channel->time();
        if (noise_var)
            d_channel->set_noise_var(control_number("noise_var", noise_var));
        if (entry)
            d_channel->set_schedule(
                { entries_of("entry", { control_integer("entry", entry) }), { 1 }, from }, from);
        if (frame)
            d_channel->set_schedule({ entries_of("entries", control_integers("entries", frame)),
                                      control_integers("lengths", lengths),
                                      from },
                                    from);
    } catch (const std::exception& error) {
        d_logger->warn("control message dropped: {}", error.what());
    }
}

// One input without further samples ends the stream.
bool thz_uplink_channel_impl::inputs_ended() const
{
    const auto& connections = detail();
    for (int k = 0; k < connections->ninputs(); k++) {
        const auto reader = connections->input(k);
        gr::thread::scoped_lock guard(*reader->mutex());
        if (reader->done() && reader->items_available() == 0)
            return true;
    }
    return false;
}

void thz_uplink_channel_impl::forecast(int, gr_vector_int& ninput_items_required)
{
    const bool runs_dry = d_next_user > 0 || has_tail();
    std::fill(ninput_items_required.begin(), ninput_items_required.end(), runs_dry ? 0 : 1);
}

// The scheduler offers the room of the fullest output. That of the true channels counts vectors,
// which must not limit the samples, so the others are asked themselves.
int thz_uplink_channel_impl::room(int noutput_items, bool has_channel_port)
{
    if (!has_channel_port)
        return noutput_items;
    const auto& connections = detail();
    int least = is_set_max_noutput_items() ? max_noutput_items() : std::numeric_limits<int>::max();
    for (size_t s = 0; s < d_y.size(); s++) {
        const auto buffer = connections->output(s);
        gr::thread::scoped_lock guard(*buffer->mutex());
        least = std::min(least, buffer->space_available());
    }
    return least;
}

int thz_uplink_channel_impl::general_work(int noutput_items,
                                          gr_vector_int& ninput_items,
                                          gr_vector_const_void_star& input_items,
                                          gr_vector_void_star& output_items)
{
    const bool has_channel_port = output_items.size() > d_y.size();
    d_channels = { has_channel_port ? static_cast<gr_complex*>(output_items.back()) : nullptr,
                   noutput_items,
                   0 };
    for (size_t k = 0; k < d_x.size(); k++)
        d_x[k] = static_cast<const gr_complex*>(input_items[k]);
    for (size_t s = 0; s < d_y.size(); s++)
        d_y[s] = static_cast<gr_complex*>(output_items[s]);

    std::lock_guard<std::mutex> lock(d_mutex);
    const int available = *std::min_element(ninput_items.begin(), ninput_items.end());
    int left = room(noutput_items, has_channel_port);
    auto done = pass(available, left);
    move_tags(nitems_read(0), nitems_read(0) + done.consumed);
    consume_each(done.consumed);
    left -= done.produced;
    if (done.consumed == available && has_tail()) {
        std::fill(d_x.begin(), d_x.end(), d_zeros.data());
        const auto rest = pass(d_tail_left, left);
        d_tail_left -= rest.consumed;
        done.produced += rest.produced;
    }
    for (size_t s = 0; s < d_y.size(); s++)
        produce(int(s), done.produced);
    if (has_channel_port)
        produce(int(d_y.size()), d_channels.produced);
    report_bad_samples();
    return WORK_CALLED_PRODUCE;
}

// Samples up to where the true channels find no room.
uplink_channel::progress thz_uplink_channel_impl::pass(int available, int room)
{
    uplink_channel::progress total{ 0, 0 };
    while (put_channels() && total.consumed < available) {
        const int64_t last =
            std::min(d_next_channel, d_channel->time() + available - total.consumed);
        const auto done = d_channel->process(
            d_x.data(), int(last - d_channel->time()), d_y.data(), room - total.produced);
        if (done.consumed == 0)
            break;
        total.consumed += done.consumed;
        total.produced += done.produced;
        for (auto& x : d_x)
            x += done.consumed;
        for (auto& y : d_y)
            y += done.produced;
    }
    return total;
}

// The true channels that are due; false while some wait for room.
bool thz_uplink_channel_impl::put_channels()
{
    const int port = int(d_y.size()), antennas = d_channel->shape().antennas();
    while (d_next_channel == d_channel->time()) {
        while (d_channels.items && d_next_user < d_channel->n_users()) {
            if (d_channels.produced == d_channels.room)
                return false;
            const uint64_t offset = nitems_written(port) + d_channels.produced;
            d_channel->true_channel(d_next_channel,
                                    d_next_user,
                                    d_channels.items + size_t(d_channels.produced++) * antennas);
            add_item_tag(port, offset, tags::frame(), pmt::from_long(d_instants));
            add_item_tag(port, offset, tags::user(), pmt::from_long(d_next_user++));
            add_item_tag(port,
                         offset,
                         sample_key,
                         pmt::from_long(long(d_channel->output_index(uint64_t(d_next_channel)))));
        }
        d_next_user = 0;
        d_instants++;
        d_next_channel = d_channel->next_channel_sample(d_next_channel + 1);
    }
    return true;
}

void thz_uplink_channel_impl::move_tags(uint64_t first, uint64_t last)
{
    get_tags_in_range(d_tags, 0, first, last);
    for (auto& tag : d_tags) {
        tag.offset = d_channel->output_index(tag.offset);
        for (size_t s = 0; s < d_y.size(); s++)
            add_item_tag(int(s), tag);
    }
}

void thz_uplink_channel_impl::report_bad_samples()
{
    const uint64_t bad = d_channel->bad_samples();
    if (bad == d_reported_bad)
        return;
    if (d_reported_bad == 0)
        d_logger->warn("{} samples were not finite and counted as zero", bad);
    d_reported_bad = bad;
    message_port_pub(ports::report(),
                     pmt::dict_add(pmt::make_dict(), bad_samples_entry, pmt::from_long(long(bad))));
}

} // namespace thzum
} // namespace gr
