/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_BLOCKS_SOAPY_SOURCE_IMPL_H
#define INCLUDED_THZUM_BLOCKS_SOAPY_SOURCE_IMPL_H

#include "radio/soapy_receiver.h"
#include <gnuradio/thzum/soapy_source.h>
#include <atomic>
#include <memory>
#include <vector>

namespace gr {
namespace thzum {

class soapy_source_impl : public soapy_source
{
public:
    soapy_source_impl(std::unique_ptr<soapy_receiver> receiver, double longest_gap);

    void set_setting(const std::string& key, const std::string& value) override;
    void set_frequency(double frequency) override { d_receiver->set_frequency(frequency); }
    void set_gain(double gain, int chain) override { d_receiver->set_gain(gain, chain); }
    std::map<std::string, std::string> information() const override;
    double sample_rate() const override { return d_rate; }
    uint64_t overflows() const override { return d_overflows; }
    uint64_t lost_samples() const override { return d_lost; }
    uint64_t unfilled_samples() const override { return d_unfilled; }
    uint64_t received_samples() const override { return d_received; }

    bool start() override;
    bool stop() override;
    int work(int noutput_items,
             gr_vector_const_void_star& input_items,
             gr_vector_void_star& output_items) override;

private:
    void take_control(const pmt::pmt_t& message);
    bool fetch();
    void meet_time();
    int put_gap(gr_vector_void_star& outputs, int room);
    int put_samples(gr_vector_void_star& outputs, int room);
    void tag_all(const pmt::pmt_t& key, const pmt::pmt_t& value, int offset);
    void report();

    std::unique_ptr<soapy_receiver> d_receiver;
    const int d_n_chains;
    const double d_rate;
    const int64_t d_longest_gap;                    // samples
    std::vector<std::vector<gr_complex>> d_samples; // of the packet at hand
    std::vector<gr_complex*> d_pointers;
    soapy_packet d_packet;
    int d_taken = 0;        // of the packet
    int64_t d_gap = 0;      // NaN due
    int64_t d_gap_lost = 0; // to be tagged at its beginning
    bool d_is_time_new = true;
    int64_t d_next_tick = 0; // of the device's clock that the next sample should have
    bool d_has_failed = false;
    std::atomic<uint64_t> d_overflows{ 0 }, d_lost{ 0 }, d_unfilled{ 0 }, d_received{ 0 };
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_BLOCKS_SOAPY_SOURCE_IMPL_H */
