/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_WIDEBAND_CHANNEL_ESTIMATOR_IMPL_H
#define INCLUDED_THZUM_WIDEBAND_CHANNEL_ESTIMATOR_IMPL_H

#include "item_tags.h"
#include <gnuradio/thzum/wideband_channel_estimator.h>
#include <atomic>
#include <mutex>

namespace gr {
namespace thzum {

class wideband_channel_estimator_impl : public wideband_channel_estimator
{
public:
    wideband_channel_estimator_impl(pilot_operator::sptr op,
                                    const std::vector<double>& frequencies,
                                    double carrier_frequency,
                                    const std::string& algorithm,
                                    const option_map& options,
                                    double noise_var,
                                    const option_map& array_options);

    int work(int noutput_items,
             gr_vector_const_void_star& input_items,
             gr_vector_void_star& output_items) override;

    void set_algorithm(const std::string& name, const option_map& options) override;
    void set_noise_var(double noise_var) override;
    std::string algorithm() const override;
    std::string settings() const override;
    double noise_var() const override { return d_fixed_noise_var; }
    uint64_t estimates() const override { return d_estimates; }
    uint64_t skipped() const override { return d_skipped; }

private:
    void handle_control(const pmt::pmt_t& message);
    /*! Reads d_tags into d_item; returns why the item is skipped, null if it is not. */
    pmt::pmt_t read_item(const gr_complex* y, float* noise_var);
    /*! Returns why it failed, null if it did not. */
    pmt::pmt_t estimate(const gr_complex* y, const float* noise_var, gr_complex* h);
    void finish(uint64_t offset, const pmt::pmt_t& fault);

    const pilot_operator::sptr d_op;
    const std::vector<double> d_frequencies;
    const double d_carrier_frequency;
    const option_map d_array_options;
    const int d_in_size, d_out_size;

    mutable std::mutex d_mutex; /*!< guards the estimator and its name */
    wideband_estimator::sptr d_estimator;
    pmt::pmt_t d_algorithm;
    bool d_is_warned = false; /*!< one log line per algorithm about what it cannot do */

    std::atomic<double> d_fixed_noise_var;
    std::atomic<uint64_t> d_estimates{ 0 };
    std::atomic<uint64_t> d_skipped{ 0 };
    item_tags d_item;
    estimate_report d_report;
    double d_latency_us = 0.0;
    std::vector<tag_t> d_tags;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_WIDEBAND_CHANNEL_ESTIMATOR_IMPL_H */
