/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_SYNC_FRAME_SYNCHRONIZER_IMPL_H
#define INCLUDED_THZUM_SYNC_FRAME_SYNCHRONIZER_IMPL_H

#include "sync/chain_buffer.h"
#include "sync/phase_tracker.h"
#include "sync/preamble_decision.h"
#include "sync/preamble_search.h"
#include "sync/pulse.h"
#include "sync/user_turner.h"
#include <gnuradio/thzum/frame_synchronizer.h>
#include <vector>

namespace gr {
namespace thzum {

class frame_synchronizer_impl : public frame_synchronizer
{
public:
    frame_synchronizer_impl(air_frame::sptr frame, const synchronizer_settings& settings);

    const synchronizer_settings& settings() const override { return d_settings; }
    air_frame::sptr layout() const override { return d_frame; }
    int push(const gr_complex* const* samples, int count) override;
    int tail() const override { return d_pulse.reach() + 1; }
    bool has_frame() const override { return d_has_frame; }
    const synchronized_frame& frame() const override { return d_result; }
    void release() override { d_has_frame = false; }
    void set_calibration(const std::vector<gr_complex>& gains) override;
    void set_users(int64_t users) override { d_users = users; }
    uint64_t frames() const override { return d_frames; }
    uint64_t cut_short() const override { return d_cut_short; }
    uint64_t missed() const override { return d_missed; }
    uint64_t bad_samples() const override { return d_bad_samples; }
    int64_t pending() const override;
    void restart() override;

private:
    static constexpr int chunk = 4096;

    void store(const gr_complex* const* samples, int first, int count);
    void decide_candidates();
    void begin_frame(const preamble_fix& fix);
    void follow(const preamble_fix& fix);
    double last_within_frame() const;
    bool is_frame_complete() const;
    void end_frame();
    void take_symbols();
    void take_noise();
    void correct_phases();
    void correct_users();
    void take_user_references(double origin);
    bool is_bad(int64_t from, int64_t to) const;
    bool is_bad_symbol(int first, int length) const;
    void void_bad_references();
    void void_bad_symbols();
    double sample_of(double symbol) const;
    void drop_old();

    air_frame::sptr d_frame;
    synchronizer_settings d_settings;
    pulse_bank d_pulse;
    preamble_search d_search;
    preamble_decision d_decision;
    phase_tracker d_tracker;
    user_turner d_turner;
    int64_t d_users = -1;
    std::vector<gr_complex> d_calibration; // [S] factors

    chain_buffer<gr_complex> d_samples;
    chain_buffer<uint8_t> d_bad; // one row
    bool d_in_frame = false;
    preamble_fix d_fix{}; // of the frame coming in
    int64_t d_next_number = 0;
    int64_t d_number = 0;

    std::vector<std::vector<gr_complex>> d_turned; // [S] samples of the frame, frequency removed
    int64_t d_turned_first = 0;
    std::vector<gr_complex> d_references; // [S][J][P]
    std::vector<gr_complex> d_factors;    // [K] of a slot
    bool d_has_bad = false;               // within the frame
    synchronized_frame d_result;
    bool d_has_frame = false;
    uint64_t d_frames = 0, d_cut_short = 0, d_missed = 0, d_bad_samples = 0;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_SYNC_FRAME_SYNCHRONIZER_IMPL_H */
