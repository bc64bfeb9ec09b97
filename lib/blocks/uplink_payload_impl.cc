/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "frame_tags.h"
#include "uplink_payload_impl.h"
#include <gnuradio/io_signature.h>
#include <algorithm>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

constexpr int max_users = 62; // masks of users are longs
constexpr int frame_numbers = 1 << 16;

const pmt::pmt_t pdus_port = pmt::mp("pdus");
const pmt::pmt_t received_frame_entry = pmt::mp("received_frame");
const pmt::pmt_t good_entry = pmt::mp("good");
const pmt::pmt_t bad_entry = pmt::mp("bad");
const pmt::pmt_t lost_entry = pmt::mp("lost");
const pmt::pmt_t scale_entry = pmt::mp("soft_bit_scale");

bool comes_first(const tag_t& a, const tag_t& b) { return a.offset < b.offset; }

} // namespace

uplink_payload::sptr uplink_payload::make(int n_users, payload_code::sptr code)
{
    if (n_users < 1 || n_users > max_users)
        throw std::invalid_argument("uplink_payload: n_users: expected 1 to " +
                                    std::to_string(max_users) + ", got " + std::to_string(n_users));
    if (!code)
        throw std::invalid_argument("uplink_payload: code: expected a payload_code, got none");
    return gnuradio::make_block_sptr<uplink_payload_impl>(n_users, code);
}

uplink_payload_impl::uplink_payload_impl(int n_users, payload_code::sptr code)
    : gr::sync_block(
          "uplink_payload",
          gr::io_signature::make(1, 1, n_users * code->bits_per_symbol() * sizeof(float)),
          gr::io_signature::make(0, 0, 0)),
      d_code(code),
      d_n_users(n_users),
      d_bits(code->bits_per_symbol()),
      d_counters(new user_counters[n_users]),
      d_scales(n_users, 1.0),
      d_llr(size_t(n_users) * code->n_data() * d_bits),
      d_bytes(code->max_bytes())
{
    message_port_register_out(pdus_port);
    message_port_register_out(ports::report());
}

const uplink_payload_impl::user_counters& uplink_payload_impl::counters(int user) const
{
    if (user < 0 || user >= d_n_users)
        throw std::invalid_argument("uplink_payload: user: expected 0 to " +
                                    std::to_string(d_n_users - 1) + ", got " +
                                    std::to_string(user));
    return d_counters[user];
}

bool uplink_payload_impl::start()
{
    d_in_frame = false;
    for (int k = 0; k < d_n_users; k++)
        d_counters[k].last_frame = -1;
    return sync_block::start();
}

bool uplink_payload_impl::stop()
{
    if (d_in_frame)
        d_cut_short++;
    d_in_frame = false;
    return sync_block::stop();
}

int uplink_payload_impl::work(int noutput_items,
                              gr_vector_const_void_star& input_items,
                              gr_vector_void_star&)
{
    const auto* vectors = static_cast<const float*>(input_items[0]);
    get_tags_in_window(d_tags, 0, 0, noutput_items, tags::frame());
    std::sort(d_tags.begin(), d_tags.end(), comes_first);
    int at = 0;
    for (const auto& tag : d_tags) {
        const int first = int(tag.offset - nitems_read(0));
        collect(vectors + size_t(at) * d_n_users * d_bits, first - at);
        at = first;
        // Channel and data both tag the first vector.
        if (!(d_in_frame && d_filled == 0))
            begin_frame(tag.value);
    }
    collect(vectors + size_t(at) * d_n_users * d_bits, noutput_items - at);
    return noutput_items;
}

void uplink_payload_impl::begin_frame(const pmt::pmt_t& number)
{
    if (d_in_frame)
        d_cut_short++;
    d_number = number;
    d_filled = 0;
    d_in_frame = true;
}

// Vectors of all users to a run of soft bits for each; those outside frames are dropped.
void uplink_payload_impl::collect(const float* vectors, int count)
{
    const int n_data = d_code->n_data();
    for (int i = 0; i < count && d_in_frame; i++) {
        for (int k = 0; k < d_n_users; k++) {
            std::copy_n(vectors, d_bits, &d_llr[(size_t(k) * n_data + size_t(d_filled)) * d_bits]);
            vectors += d_bits;
        }
        if (++d_filled == n_data)
            end_frame();
    }
}

void uplink_payload_impl::end_frame()
{
    d_in_frame = false;
    long good = 0, bad = 0;
    for (int k = 0; k < d_n_users; k++) {
        payload_header header{};
        const float* llr = &d_llr[size_t(k) * d_code->n_data() * d_bits];
        const auto outcome = d_code->decode(k, llr, header, d_bytes.data());
        d_scales[k] = d_code->soft_bit_scale();
        if (outcome == payload_code::outcome::good) {
            good |= 1L << k;
            take_good(k, header);
        } else if (outcome != payload_code::outcome::absent) {
            bad |= 1L << k;
            const bool is_header = outcome == payload_code::outcome::bad_header;
            (is_header ? d_counters[k].bad_headers : d_counters[k].bad_payloads)++;
        }
    }
    report_frame(good, bad);
}

void uplink_payload_impl::take_good(int user, const payload_header& header)
{
    auto& mine = d_counters[user];
    mine.received++;
    if (mine.last_frame >= 0) {
        const int step = (header.frame - mine.last_frame + frame_numbers) % frame_numbers;
        // A transmitter that started over goes back.
        if (step > 0 && step < frame_numbers / 2)
            mine.lost += uint64_t(step - 1);
    }
    mine.last_frame = header.frame;
    if (header.length == 0)
        return;
    auto meta = pmt::dict_add(pmt::make_dict(), keys::user(), pmt::from_long(user));
    meta = pmt::dict_add(meta, keys::frame(), pmt::from_long(header.frame));
    meta = pmt::dict_add(meta, received_frame_entry, d_number);
    message_port_pub(pdus_port,
                     pmt::cons(meta, pmt::init_u8vector(size_t(header.length), d_bytes.data())));
}

void uplink_payload_impl::report_frame(long good, long bad)
{
    if (pmt::is_null(message_subscribers(ports::report())))
        return;
    std::vector<int32_t> lost;
    for (int k = 0; k < d_n_users; k++)
        lost.push_back(int32_t(d_counters[k].lost));
    auto dict = pmt::dict_add(pmt::make_dict(), keys::frame(), d_number);
    dict = pmt::dict_add(dict, good_entry, pmt::from_long(good));
    dict = pmt::dict_add(dict, bad_entry, pmt::from_long(bad));
    dict = pmt::dict_add(dict, lost_entry, pmt::init_s32vector(lost.size(), lost));
    dict = pmt::dict_add(dict, scale_entry, pmt::init_f64vector(d_scales.size(), d_scales));
    message_port_pub(ports::report(), dict);
}

} // namespace thzum
} // namespace gr
