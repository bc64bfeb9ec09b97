/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_BLOCKS_RF_IMPAIRMENTS_IMPL_H
#define INCLUDED_THZUM_BLOCKS_RF_IMPAIRMENTS_IMPL_H

#include "channel/hardware_chain.h"
#include <gnuradio/thzum/rf_impairments.h>
#include <atomic>
#include <memory>
#include <vector>

namespace gr {
namespace thzum {

class rf_impairments_impl : public rf_impairments
{
public:
    rf_impairments_impl(int n_chains,
                        double sample_rate,
                        const option_map& options,
                        const receiver_settings& settings);

    void set_options(const option_map& options) override;
    option_map options() const override;
    uint64_t replaced() const override { return d_replaced; }

    bool start() override;
    void forecast(int noutput_items, gr_vector_int& ninput_items_required) override;
    int general_work(int noutput_items,
                     gr_vector_int& ninput_items,
                     gr_vector_const_void_star& input_items,
                     gr_vector_void_star& output_items) override;

private:
    void handle_control(const pmt::pmt_t& message);
    void forward_tags(int consumed);
    void report_replaced(int count);

    const int d_n_chains;
    const double d_sample_rate;
    const bool d_has_clock;
    mutable gr::thread::mutex d_mutex; // of what follows up to the chain
    option_map d_options;              // every one
    receiver_settings d_settings;
    std::unique_ptr<receiver_chain> d_chain;
    std::atomic<uint64_t> d_replaced{ 0 };
    std::vector<const gr_complex*> d_in; // [n_chains]
    std::vector<gr_complex*> d_out;      // [n_chains]
    std::vector<tag_t> d_tags;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_BLOCKS_RF_IMPAIRMENTS_IMPL_H */
