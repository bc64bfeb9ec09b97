/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_BLOCKS_PILOT_RECEIVER_IMPL_H
#define INCLUDED_THZUM_BLOCKS_PILOT_RECEIVER_IMPL_H

#include "channel/pilot_frame.h"
#include <gnuradio/thzum/pilot_receiver.h>
#include <atomic>

namespace gr {
namespace thzum {

class pilot_receiver_impl : public pilot_receiver
{
public:
    pilot_receiver_impl(pilot_frame frame, double row_energy);

    uint64_t frames() const override { return d_frames; }
    uint64_t lost_frames() const override { return d_lost_frames; }
    uint64_t skipped_items() const override { return d_skipped_items; }
    int frame_length() const override { return d_frame.n_samples(); }

    bool start() override;
    bool stop() override;
    void forecast(int noutput_items, gr_vector_int& ninput_items_required) override;
    int general_work(int noutput_items,
                     gr_vector_int& ninput_items,
                     gr_vector_const_void_star& input_items,
                     gr_vector_void_star& output_items) override;

private:
    // What stands beside the samples of the frame being collected or put out.
    struct frame_facts {
        pmt::pmt_t number;
        pmt::pmt_t users;          // null without tag
        pmt::pmt_t beams;          // null without tag
        pmt::pmt_t user_reference; // null without tag
        uint64_t user_mask;
        pmt::pmt_t fault; // why the whole frame is void; null for a good one
    };

    // Room left on an output in this call, and the next item of the frame to put there.
    struct output_state {
        gr_complex* items;
        int room;
        int produced;
    };

    int collect(const gr_complex* const* samples, int count);
    bool find_frame_tag(int count);
    void find_data_tags(int first, int count);
    void begin_frame(const tag_t& tag);
    void end_frame(const pmt::pmt_t& fault);
    void drain();
    void put_observations(int user);
    void put_data(int index);
    void tag_first(int port, uint64_t offset);
    void report_frame();
    bool is_scheduled(int user) const;
    bool is_draining() const;

    pilot_frame d_frame;
    const double d_row_energy;
    frame_facts d_facts;
    bool d_in_frame = false;
    int d_next_user; // items of the finished frame put out so far; n_users and n_data when none
                     // waits
    int d_next_data;
    output_state d_y, d_data;
    tag_t d_frame_tag; // what find_frame_tag() found
    std::vector<tag_t> d_tags;
    std::vector<pmt::pmt_t> d_user_phases; // [n_data] tags of the frame; null where there is none
    std::vector<const gr_complex*> d_samples;

    long d_next_number = 0; // for a frame tag without a usable number
    std::atomic<uint64_t> d_frames{ 0 };
    std::atomic<uint64_t> d_lost_frames{ 0 };
    std::atomic<uint64_t> d_skipped_items{ 0 };
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_BLOCKS_PILOT_RECEIVER_IMPL_H */
