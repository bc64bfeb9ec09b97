/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_BLOCKS_UPLINK_FRAME_SOURCE_IMPL_H
#define INCLUDED_THZUM_BLOCKS_UPLINK_FRAME_SOURCE_IMPL_H

#include "sync/frame_shaper.h"
#include <gnuradio/thzum/uplink_frame_source.h>
#include <atomic>
#include <deque>
#include <mutex>
#include <vector>

namespace gr {
namespace thzum {

class uplink_frame_source_impl : public uplink_frame_source
{
public:
    uplink_frame_source_impl(air_frame::sptr frame,
                             payload_code::sptr code,
                             int64_t users,
                             uint64_t n_frames);

    uint64_t frames() const override { return d_frames; }
    uint64_t dropped() const override { return d_dropped; }

    bool start() override;
    void forecast(int noutput_items, gr_vector_int& ninput_items_required) override;
    int general_work(int noutput_items,
                     gr_vector_int& ninput_items,
                     gr_vector_const_void_star& input_items,
                     gr_vector_void_star& output_items) override;

private:
    bool sends(int user) const { return (d_users >> user) & 1; }
    bool has_streams() const;
    void take_message(const pmt::pmt_t& message);
    bool take_streams(const gr_vector_int& ninput_items, const gr_vector_const_void_star& inputs);
    void take_queues();
    void begin_frame(uint64_t offset);

    air_frame::sptr d_frame;
    payload_code::sptr d_code;
    frame_shaper d_shaper;
    const int d_n_users;
    int64_t d_users;
    const uint64_t d_n_frames;

    std::mutex d_mutex;                             // guards the queues
    std::vector<std::deque<uint8_t>> d_queues;      // [K] bytes of messages
    std::vector<std::vector<uint8_t>> d_bytes;      // [K] of the next frame
    std::vector<gr_complex> d_data;                 // [n_data]
    std::vector<std::vector<gr_complex>> d_samples; // [K][n_samples]
    int d_sent;                                     // samples of the frame that went out
    std::atomic<uint64_t> d_frames{ 0 };
    std::atomic<uint64_t> d_dropped{ 0 };
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_BLOCKS_UPLINK_FRAME_SOURCE_IMPL_H */
