/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_BLOCKS_THZ_UPLINK_CHANNEL_IMPL_H
#define INCLUDED_THZUM_BLOCKS_THZ_UPLINK_CHANNEL_IMPL_H

#include <gnuradio/thzum/thz_uplink_channel.h>
#include <mutex>

namespace gr {
namespace thzum {

class thz_uplink_channel_impl : public thz_uplink_channel
{
public:
    explicit thz_uplink_channel_impl(uplink_channel::sptr channel);

    void set_schedule(const std::vector<int>& entries,
                      const std::vector<int64_t>& lengths,
                      int64_t sample) override;
    void set_entry(int entry) override;
    void set_noise_var(double noise_var) override;
    double noise_var() const override;
    int latency() const override { return d_channel->latency(); }
    uint64_t bad_samples() const override;

    void forecast(int noutput_items, gr_vector_int& ninput_items_required) override;
    int general_work(int noutput_items,
                     gr_vector_int& ninput_items,
                     gr_vector_const_void_star& input_items,
                     gr_vector_void_star& output_items) override;

private:
    // Output of the true channels in this call.
    struct channel_output {
        gr_complex* items; // null while unconnected
        int room;
        int produced;
    };

    void handle_control(const pmt::pmt_t& message);
    bool inputs_ended() const;
    bool has_tail() const { return d_tail_left > 0 && inputs_ended(); }
    int room(int noutput_items, bool has_channel_port);
    uplink_channel::progress pass(int available, int room);
    bool put_channels();
    void move_tags(uint64_t first, uint64_t last);
    void report_bad_samples();

    uplink_channel::sptr d_channel;
    mutable std::mutex d_mutex; // settings come from other threads
    int64_t d_next_channel;     // channel time of the next true channels
    int d_next_user = 0;        // of these
    long d_instants = 0;
    int d_tail_left;
    uint64_t d_reported_bad = 0;
    channel_output d_channels;
    std::vector<const gr_complex*> d_x;
    std::vector<gr_complex*> d_y;
    std::vector<gr_complex> d_zeros;
    std::vector<tag_t> d_tags;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_BLOCKS_THZ_UPLINK_CHANNEL_IMPL_H */
