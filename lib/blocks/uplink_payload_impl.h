/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_BLOCKS_UPLINK_PAYLOAD_IMPL_H
#define INCLUDED_THZUM_BLOCKS_UPLINK_PAYLOAD_IMPL_H

#include <gnuradio/thzum/uplink_payload.h>
#include <atomic>
#include <memory>
#include <vector>

namespace gr {
namespace thzum {

class uplink_payload_impl : public uplink_payload
{
public:
    uplink_payload_impl(int n_users, payload_code::sptr code);

    uint64_t received(int user) const override { return counters(user).received; }
    uint64_t lost(int user) const override { return counters(user).lost; }
    uint64_t bad_headers(int user) const override { return counters(user).bad_headers; }
    uint64_t bad_payloads(int user) const override { return counters(user).bad_payloads; }
    uint64_t cut_short() const override { return d_cut_short; }

    bool start() override;
    bool stop() override;
    int work(int noutput_items,
             gr_vector_const_void_star& input_items,
             gr_vector_void_star& output_items) override;

private:
    struct user_counters {
        std::atomic<uint64_t> received{ 0 };
        std::atomic<uint64_t> lost{ 0 };
        std::atomic<uint64_t> bad_headers{ 0 };
        std::atomic<uint64_t> bad_payloads{ 0 };
        int last_frame = -1; // of the header
    };

    const user_counters& counters(int user) const;
    void begin_frame(const pmt::pmt_t& number);
    void collect(const float* vectors, int count);
    void end_frame();
    void take_good(int user, const payload_header& header);
    void report_frame(long good, long bad);

    payload_code::sptr d_code;
    const int d_n_users;
    const int d_bits;
    std::unique_ptr<user_counters[]> d_counters;
    std::vector<double> d_scales; // by user, of the frame
    std::vector<float> d_llr;     // [K][n_data][bits]
    std::vector<uint8_t> d_bytes;
    int d_filled = 0;
    bool d_in_frame = false;
    pmt::pmt_t d_number;
    std::vector<tag_t> d_tags;
    std::atomic<uint64_t> d_cut_short{ 0 };
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_BLOCKS_UPLINK_PAYLOAD_IMPL_H */
