/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_BLOCKS_FRAME_SYNC_IMPL_H
#define INCLUDED_THZUM_BLOCKS_FRAME_SYNC_IMPL_H

#include <gnuradio/thzum/frame_sync.h>
#include <atomic>
#include <mutex>

namespace gr {
namespace thzum {

class frame_sync_impl : public frame_sync
{
public:
    frame_sync_impl(frame_synchronizer::sptr synchronizer,
                    int64_t users,
                    const std::vector<int>& beams,
                    const std::vector<gr_complex>& calibration);

    void set_users(int64_t users) override;
    void set_beams(const std::vector<int>& beams) override;
    void set_calibration(const std::vector<gr_complex>& calibration) override;
    uint64_t frames() const override { return d_frames; }
    uint64_t lost_frames() const override { return d_lost_frames; }
    uint64_t bad_samples() const override { return d_bad_samples; }

    bool start() override;
    bool stop() override;
    void forecast(int noutput_items, gr_vector_int& ninput_items_required) override;
    int general_work(int noutput_items,
                     gr_vector_int& ninput_items,
                     gr_vector_const_void_star& input_items,
                     gr_vector_void_star& output_items) override;

private:
    void take_control(const pmt::pmt_t& message);
    void tag_chains(uint64_t offset, const pmt::pmt_t& key, const pmt::pmt_t& value);
    void tag_frame(uint64_t offset);
    void tag_users(uint64_t offset, uint64_t data);
    void report_frame();
    int put_symbols(gr_vector_void_star& outputs, int from, int room);
    bool has_stream_ended() const;
    int push(int count);
    int take_samples(const gr_vector_const_void_star& inputs, int from, int count);
    void take_tail();

    frame_synchronizer::sptr d_synchronizer;
    const int d_n_chains;
    const int d_n_received;
    std::vector<const gr_complex*> d_inputs;
    const std::vector<gr_complex> d_silence;
    int d_put = 0;  // symbols of the frame that went out
    int d_tail = 0; // silence behind the stream's end that is still to come

    std::mutex d_mutex; // guards the settings
    int64_t d_users;
    std::vector<int> d_beams;
    std::vector<gr_complex> d_calibration;
    bool d_has_new_calibration = false;

    std::atomic<uint64_t> d_frames{ 0 };
    std::atomic<uint64_t> d_lost_frames{ 0 };
    std::atomic<uint64_t> d_bad_samples{ 0 };
    uint64_t d_unfinished = 0;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_BLOCKS_FRAME_SYNC_IMPL_H */
