/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "frame_tags.h"
#include "stream_end.h"
#include "uplink_frame_source_impl.h"
#include <gnuradio/block_detail.h>
#include <gnuradio/io_signature.h>
#include <algorithm>
#include <limits>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

constexpr int max_users = 62; // a long of a tag holds a bit for each

const pmt::pmt_t pdus_port = pmt::mp("pdus");
const pmt::pmt_t users_entry = pmt::mp("users");
const pmt::pmt_t bytes_entry = pmt::mp("bytes");

} // namespace

uplink_frame_source::sptr uplink_frame_source::make(air_frame::sptr frame,
                                                    payload_code::sptr code,
                                                    int64_t users,
                                                    uint64_t n_frames)
{
    if (!frame || !code)
        throw std::invalid_argument("uplink_frame_source: expected a frame and a code, got none");
    const auto& p = frame->parameters();
    if (code->n_data() != p.n_data)
        throw std::invalid_argument("uplink_frame_source: code: expected one for the frame's " +
                                    std::to_string(p.n_data) + " data symbols, got one for " +
                                    std::to_string(code->n_data()));
    if (p.n_users > max_users)
        throw std::invalid_argument("uplink_frame_source: frame: expected " +
                                    std::to_string(max_users) + " users at most, got " +
                                    std::to_string(p.n_users));
    const int64_t all = (int64_t(1) << p.n_users) - 1;
    if (users >= 0 && (users & ~all))
        throw std::invalid_argument("uplink_frame_source: users: expected bits of the " +
                                    std::to_string(p.n_users) + " users alone, got " +
                                    std::to_string(users));
    return gnuradio::make_block_sptr<uplink_frame_source_impl>(
        frame, code, users < 0 ? all : users, n_frames);
}

uplink_frame_source_impl::uplink_frame_source_impl(air_frame::sptr frame,
                                                   payload_code::sptr code,
                                                   int64_t users,
                                                   uint64_t n_frames)
    : gr::block("uplink_frame_source",
                gr::io_signature::make(0, frame->parameters().n_users, sizeof(uint8_t)),
                gr::io_signature::make(
                    frame->parameters().n_users, frame->parameters().n_users, sizeof(gr_complex))),
      d_frame(frame),
      d_code(code),
      d_shaper(frame),
      d_n_users(frame->parameters().n_users),
      d_users(users),
      d_n_frames(n_frames),
      d_queues(d_n_users),
      d_bytes(d_n_users),
      d_data(frame->parameters().n_data),
      d_samples(d_n_users, std::vector<gr_complex>(frame->n_samples())),
      d_sent(frame->n_samples())
{
    set_tag_propagation_policy(TPP_DONT);
    message_port_register_in(pdus_port);
    set_msg_handler(pdus_port, [this](const pmt::pmt_t& message) { take_message(message); });
    message_port_register_out(ports::report());
}

bool uplink_frame_source_impl::start()
{
    const int inputs = detail()->ninputs();
    if (inputs != 0 && inputs != d_n_users)
        throw std::runtime_error("uplink_frame_source: expected no input or one for each of the " +
                                 std::to_string(d_n_users) + " users, got " +
                                 std::to_string(inputs));
    d_sent = d_frame->n_samples();
    d_frames = 0;
    return block::start();
}

bool uplink_frame_source_impl::has_streams() const { return detail()->ninputs() > 0; }

void uplink_frame_source_impl::take_message(const pmt::pmt_t& message)
{
    const bool is_pdu = pmt::is_pair(message) && pmt::is_u8vector(pmt::cdr(message));
    const auto meta = is_pdu ? pmt::car(message) : pmt::PMT_NIL;
    const auto user = pmt::is_dict(meta) ? pmt::dict_ref(meta, keys::user(), pmt::from_long(0))
                                         : pmt::from_long(0);
    const long number = pmt::is_integer(user) ? pmt::to_long(user) : -1;
    if (!is_pdu || number < 0 || number >= d_n_users || !sends(int(number))) {
        d_dropped++;
        d_logger->warn("message dropped: expected (dictionary . u8vector) with a user that sends, "
                       "got {}",
                       is_pdu ? pmt::write_string(meta) : pmt::write_string(message));
        return;
    }
    size_t length = 0;
    const uint8_t* bytes = pmt::u8vector_elements(pmt::cdr(message), length);
    std::lock_guard<std::mutex> lock(d_mutex);
    d_queues[number].insert(d_queues[number].end(), bytes, bytes + length);
}

void uplink_frame_source_impl::forecast(int, gr_vector_int& required)
{
    for (size_t k = 0; k < required.size(); k++) {
        const bool waits = d_sent == d_frame->n_samples() && sends(int(k)) &&
                           !has_ended(*this, int(k), std::numeric_limits<int>::max());
        required[k] = waits ? d_code->max_bytes() : 0;
    }
}

// The next frame's bytes from the streams; false while some are still to come.
bool uplink_frame_source_impl::take_streams(const gr_vector_int& ninput_items,
                                            const gr_vector_const_void_star& inputs)
{
    bool has_any = false;
    for (int k = 0; k < d_n_users; k++) {
        if (!sends(k))
            continue;
        if (ninput_items[k] < d_code->max_bytes() && !has_ended(*this, k, ninput_items[k]))
            return false;
        has_any |= ninput_items[k] > 0;
    }
    if (!has_any)
        return false;
    for (int k = 0; k < d_n_users; k++) {
        const int count = sends(k) ? std::min(ninput_items[k], d_code->max_bytes()) : 0;
        const auto* bytes = static_cast<const uint8_t*>(inputs[k]);
        d_bytes[k].assign(bytes, bytes + count);
        consume(k, sends(k) ? count : ninput_items[k]);
    }
    return true;
}

void uplink_frame_source_impl::take_queues()
{
    std::lock_guard<std::mutex> lock(d_mutex);
    for (int k = 0; k < d_n_users; k++) {
        auto& queue = d_queues[k];
        const auto end = queue.begin() + long(std::min(queue.size(), size_t(d_code->max_bytes())));
        d_bytes[k].assign(queue.begin(), end);
        queue.erase(queue.begin(), end);
    }
}

void uplink_frame_source_impl::begin_frame(uint64_t offset)
{
    const long number = long(d_frames++);
    std::vector<int32_t> counts;
    for (int k = 0; k < d_n_users; k++) {
        counts.push_back(int32_t(d_bytes[k].size()));
        if (sends(k)) {
            d_code->encode({ int(number & 0xffff), k, int(d_bytes[k].size()) },
                           d_bytes[k].data(),
                           d_data.data());
            d_shaper.shape(k, d_data.data(), d_samples[k].data());
        }
        add_item_tag(k, offset, tags::frame(), pmt::from_long(number));
        add_item_tag(k, offset, tags::users(), pmt::from_long(long(d_users)));
    }
    d_sent = 0;
    if (pmt::is_null(message_subscribers(ports::report())))
        return;
    auto dict = pmt::dict_add(pmt::make_dict(), keys::frame(), pmt::from_long(number));
    dict = pmt::dict_add(dict, users_entry, pmt::from_long(long(d_users)));
    dict = pmt::dict_add(dict, bytes_entry, pmt::init_s32vector(counts.size(), counts));
    message_port_pub(ports::report(), dict);
}

int uplink_frame_source_impl::general_work(int noutput_items,
                                           gr_vector_int& ninput_items,
                                           gr_vector_const_void_star& input_items,
                                           gr_vector_void_star& output_items)
{
    int produced = 0;
    if (d_sent == d_frame->n_samples()) {
        if (d_n_frames && d_frames == d_n_frames)
            return WORK_DONE;
        if (!has_streams()) {
            take_queues();
        } else if (!take_streams(ninput_items, input_items)) {
            bool all_ended = true;
            for (int k = 0; k < d_n_users; k++)
                all_ended &= !sends(k) || (ninput_items[k] == 0 && has_ended(*this, k, 0));
            return all_ended ? int(WORK_DONE) : 0;
        }
        begin_frame(nitems_written(0));
    }
    produced = std::min(noutput_items, d_frame->n_samples() - d_sent);
    for (int k = 0; k < d_n_users; k++)
        std::copy_n(
            d_samples[k].begin() + d_sent, produced, static_cast<gr_complex*>(output_items[k]));
    d_sent += produced;
    return produced;
}

} // namespace thzum
} // namespace gr
