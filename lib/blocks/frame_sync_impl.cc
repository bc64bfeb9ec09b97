/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "control_message.h"
#include "frame_sync_impl.h"
#include "frame_tags.h"
#include "stream_end.h"
#include <gnuradio/io_signature.h>
#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

const pmt::pmt_t sample_key = pmt::mp("thzum_sample");
const pmt::pmt_t cfo_key = pmt::mp("thzum_cfo");
const pmt::pmt_t user_cfo_key = pmt::mp("thzum_user_cfo");
const pmt::pmt_t sample_entry = pmt::mp("sample");
const pmt::pmt_t cfo_entry = pmt::mp("cfo");
const pmt::pmt_t user_cfo_entry = pmt::mp("user_cfo");
const pmt::pmt_t metric_entry = pmt::mp("metric");
const pmt::pmt_t phase_entry = pmt::mp("phase_rms");
const pmt::pmt_t lost_entry = pmt::mp("lost");
const pmt::pmt_t bad_entry = pmt::mp("bad_samples");

/*! How far a user may turn while one thzum_user_phase holds, which is right in the middle: the rms
 * error of 0.01 / sqrt(12) rad is 51 dB below the symbols. */
constexpr double phase_span = 0.01;

std::vector<int> beam_list(const pmt::pmt_t& value)
{
    if (!pmt::is_s32vector(value))
        throw std::invalid_argument("beams: expected an s32vector, got " +
                                    pmt::write_string(value));
    const auto elements = pmt::s32vector_elements(value);
    return { elements.begin(), elements.end() };
}

} // namespace

frame_sync::sptr frame_sync::make(air_frame::sptr frame,
                                  const synchronizer_settings& settings,
                                  int64_t users,
                                  const std::vector<int>& beams,
                                  const std::vector<gr_complex>& calibration)
{
    return gnuradio::make_block_sptr<frame_sync_impl>(
        frame_synchronizer::make(frame, settings), users, beams, calibration);
}

frame_sync_impl::frame_sync_impl(frame_synchronizer::sptr synchronizer,
                                 int64_t users,
                                 const std::vector<int>& beams,
                                 const std::vector<gr_complex>& calibration)
    : gr::block("frame_sync",
                gr::io_signature::make(synchronizer->settings().n_chains,
                                       synchronizer->settings().n_chains,
                                       sizeof(gr_complex)),
                gr::io_signature::make(synchronizer->settings().n_chains,
                                       synchronizer->settings().n_chains,
                                       sizeof(gr_complex))),
      d_synchronizer(synchronizer),
      d_n_chains(synchronizer->settings().n_chains),
      d_n_received(synchronizer->layout()->n_received()),
      d_inputs(d_n_chains),
      d_silence(synchronizer->tail(), gr_complex(0)),
      d_users(users)
{
    frame_sync_impl::set_beams(beams);
    if (!calibration.empty())
        d_synchronizer->set_calibration(calibration);
    set_tag_propagation_policy(TPP_DONT);
    message_port_register_in(ports::control());
    set_msg_handler(ports::control(), [this](const pmt::pmt_t& msg) { take_control(msg); });
    message_port_register_out(ports::report());
}

void frame_sync_impl::set_users(int64_t users)
{
    std::lock_guard<std::mutex> lock(d_mutex);
    d_users = users;
}

void frame_sync_impl::set_beams(const std::vector<int>& beams)
{
    if (!beams.empty() && int(beams.size()) != d_n_chains)
        throw std::invalid_argument("frame_sync: beams: expected one for each of the " +
                                    std::to_string(d_n_chains) + " chains or none, got " +
                                    std::to_string(beams.size()));
    std::lock_guard<std::mutex> lock(d_mutex);
    d_beams = beams;
}

void frame_sync_impl::set_calibration(const std::vector<gr_complex>& calibration)
{
    // The check is the synchroniser's; it is given the gains between two frames.
    if (!calibration.empty())
        frame_synchronizer::check_calibration(calibration, d_n_chains);
    std::lock_guard<std::mutex> lock(d_mutex);
    d_calibration = calibration.empty() ? std::vector<gr_complex>(d_n_chains, 1) : calibration;
    d_has_new_calibration = true;
}

void frame_sync_impl::take_control(const pmt::pmt_t& message)
{
    try {
        const auto entries = control_entries(message);
        for (const auto& [key, value] : entries) {
            if (key == "users")
                set_users(int64_t(control_number(key, value)));
            else if (key == "beams")
                set_beams(beam_list(value));
            else if (key == "calibration" && pmt::is_c32vector(value))
                set_calibration(pmt::c32vector_elements(value));
            else
                throw std::invalid_argument("expected users, beams (an s32vector) or calibration "
                                            "(a c32vector), got " +
                                            key);
        }
    } catch (const std::exception& error) {
        d_logger->warn("control message dropped: {}", error.what());
    }
}

bool frame_sync_impl::start()
{
    d_synchronizer->release();
    d_synchronizer->restart();
    d_put = 0;
    d_tail = int(d_silence.size());
    return block::start();
}

bool frame_sync_impl::stop()
{
    if (d_synchronizer->pending() > 0) {
        d_logger->info("the stream stopped within a frame, after {} samples",
                       d_synchronizer->pending());
        d_lost_frames = d_synchronizer->cut_short() + d_synchronizer->missed() + ++d_unfinished;
        d_synchronizer->restart();
    }
    return block::stop();
}

bool frame_sync_impl::has_stream_ended() const
{
    for (int s = 0; s < d_n_chains; s++)
        if (has_ended(*this, s, 0))
            return true;
    return false;
}

void frame_sync_impl::forecast(int, gr_vector_int& ninput_items_required)
{
    // A frame that waits for room, or for the end of the stream, goes out without further input.
    const bool needs_none = d_synchronizer->has_frame() || has_stream_ended();
    std::fill(ninput_items_required.begin(), ninput_items_required.end(), needs_none ? 0 : 1);
}

void frame_sync_impl::tag_chains(uint64_t offset, const pmt::pmt_t& key, const pmt::pmt_t& value)
{
    for (int s = 0; s < d_n_chains; s++)
        add_item_tag(s, offset, key, value);
}

void frame_sync_impl::tag_frame(uint64_t offset)
{
    const auto& frame = d_synchronizer->frame();
    std::lock_guard<std::mutex> lock(d_mutex);
    tag_chains(offset, tags::frame(), pmt::from_long(long(frame.number)));
    tag_chains(offset, sample_key, pmt::from_long(std::lround(frame.instant)));
    tag_chains(offset, cfo_key, pmt::from_double(frame.frequency));
    if (d_users >= 0)
        tag_chains(offset, tags::users(), pmt::from_long(long(d_users)));
    if (!d_beams.empty()) {
        const std::vector<int32_t> beams(d_beams.begin(), d_beams.end());
        tag_chains(offset, tags::beams(), pmt::init_s32vector(beams.size(), beams));
    }
    const uint64_t data = offset + d_n_received - d_synchronizer->layout()->parameters().n_data;
    if (frame.has_user_references) {
        const auto& references = frame.user_references;
        tag_chains(
            data, tags::user_reference(), pmt::init_c32vector(references.size(), references));
    }
    if (frame.has_user_phases)
        tag_users(offset, data);
}

// Users' own offsets, and their phases wherever these have changed among the data.
void frame_sync_impl::tag_users(uint64_t offset, uint64_t data)
{
    const auto& frame = d_synchronizer->frame();
    const size_t n_users = frame.user_frequency.size();
    const int n_data = d_synchronizer->layout()->parameters().n_data;
    tag_chains(offset, user_cfo_key, pmt::init_f64vector(n_users, frame.user_frequency));
    const auto phases = [&](int index) { return &frame.user_phases[index * n_users]; };
    const auto is_near = [&](int a, int b) {
        return std::equal(phases(a), phases(a) + n_users, phases(b), [](double x, double y) {
            return std::abs(x - y) < phase_span;
        });
    };
    for (int first = 0, last; first < n_data; first = last) {
        last = first + 1;
        while (last < n_data && is_near(first, last))
            last++;
        tag_chains(data + first,
                   tags::user_phase(),
                   pmt::init_f64vector(n_users, phases((first + last - 1) / 2)));
    }
}

void frame_sync_impl::report_frame()
{
    if (pmt::is_null(message_subscribers(ports::report())))
        return;
    const auto& frame = d_synchronizer->frame();
    auto dict = pmt::dict_add(pmt::make_dict(), keys::frame(), pmt::from_long(long(frame.number)));
    dict = pmt::dict_add(dict, sample_entry, pmt::from_long(std::lround(frame.instant)));
    dict = pmt::dict_add(dict, cfo_entry, pmt::from_double(frame.frequency));
    dict = pmt::dict_add(dict,
                         user_cfo_entry,
                         pmt::init_f64vector(frame.user_frequency.size(), frame.user_frequency));
    dict = pmt::dict_add(dict, metric_entry, pmt::from_double(frame.metric));
    dict = pmt::dict_add(dict, phase_entry, pmt::from_double(frame.phase_rms));
    dict = pmt::dict_add(
        dict, keys::noise_var(), pmt::init_f64vector(frame.noise_var.size(), frame.noise_var));
    dict = pmt::dict_add(dict, lost_entry, pmt::from_long(long(d_lost_frames)));
    dict = pmt::dict_add(dict, bad_entry, pmt::from_long(long(d_bad_samples)));
    message_port_pub(ports::report(), dict);
}

// Symbols of the frame at hand, as many as there is room for.
int frame_sync_impl::put_symbols(gr_vector_void_star& outputs, int from, int room)
{
    if (!d_synchronizer->has_frame() || room == 0)
        return 0;
    if (d_put == 0) {
        tag_frame(nitems_written(0) + from);
        report_frame();
    }
    const int count = std::min(room, d_n_received - d_put);
    for (int s = 0; s < d_n_chains; s++)
        std::copy_n(&d_synchronizer->frame().symbols[size_t(s) * d_n_received + d_put],
                    count,
                    static_cast<gr_complex*>(outputs[s]) + from);
    d_put += count;
    if (d_put == d_n_received) {
        d_put = 0;
        d_synchronizer->release();
    }
    return count;
}

// Gives samples to the synchroniser until it has a frame or took them all; returns how many.
int frame_sync_impl::push(int count)
{
    {
        std::lock_guard<std::mutex> lock(d_mutex);
        if (d_has_new_calibration)
            d_synchronizer->set_calibration(d_calibration);
        d_has_new_calibration = false;
        d_synchronizer->set_users(d_users);
    }
    const int taken = d_synchronizer->push(d_inputs.data(), count);
    d_frames = d_synchronizer->frames();
    d_lost_frames = d_synchronizer->cut_short() + d_synchronizer->missed() + d_unfinished;
    d_bad_samples = d_synchronizer->bad_samples();
    return taken;
}

int frame_sync_impl::take_samples(const gr_vector_const_void_star& inputs, int from, int count)
{
    for (int s = 0; s < d_n_chains; s++)
        d_inputs[s] = static_cast<const gr_complex*>(inputs[s]) + from;
    return push(count);
}

// Nothing follows the stream: the frame that it ends with does not wait.
void frame_sync_impl::take_tail()
{
    std::fill(d_inputs.begin(), d_inputs.end(), d_silence.data());
    d_tail -= push(d_tail);
}

int frame_sync_impl::general_work(int noutput_items,
                                  gr_vector_int& ninput_items,
                                  gr_vector_const_void_star& input_items,
                                  gr_vector_void_star& output_items)
{
    const int available = *std::min_element(ninput_items.begin(), ninput_items.end());
    int produced = put_symbols(output_items, 0, noutput_items), consumed = 0;
    while (!d_synchronizer->has_frame()) {
        if (consumed < available || !has_stream_ended())
            consumed += take_samples(input_items, consumed, available - consumed);
        else if (d_tail > 0)
            take_tail();
        else if (produced == 0)
            return WORK_DONE;
        if (!d_synchronizer->has_frame())
            break; // all samples were taken
        produced += put_symbols(output_items, produced, noutput_items - produced);
    }
    consume_each(consumed);
    return produced;
}

} // namespace thzum
} // namespace gr
