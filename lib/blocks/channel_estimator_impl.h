/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_CHANNEL_ESTIMATOR_IMPL_H
#define INCLUDED_THZUM_CHANNEL_ESTIMATOR_IMPL_H

#include "item_tags.h"
#include <gnuradio/thzum/channel_estimator.h>
#include <gnuradio/thzum/tracking_estimator.h>
#include <atomic>
#include <mutex>

namespace gr {
namespace thzum {

class channel_estimator_impl : public channel_estimator
{
public:
    channel_estimator_impl(pilot_operator::sptr op,
                           const std::string& algorithm,
                           const option_map& options,
                           double noise_var,
                           int batch,
                           const option_map& array_options,
                           int tracked_users);

    bool start() override;
    bool stop() override;
    int work(int noutput_items,
             gr_vector_const_void_star& input_items,
             gr_vector_void_star& output_items) override;

    void set_algorithm(const std::string& name, const option_map& options) override;
    void set_noise_var(double noise_var) override;
    void set_mask(const std::vector<uint8_t>& mask) override;
    std::vector<uint8_t> mask() const override;
    std::string algorithm() const override;
    std::string settings() const override;
    double noise_var() const override { return d_fixed_noise_var; }
    uint64_t estimates() const override { return d_estimates; }
    uint64_t skipped() const override { return d_skipped; }
    int largest_batch() const override { return d_largest_batch; }
    int tracked_users() const override { return d_tracked_users; }

private:
    /*! What is known of an item before it is estimated. */
    struct item {
        item_tags tags;
        pmt::pmt_t fault;   /*!< why it is skipped; null if it is not */
        bool has_noise_var; /*!< false: to be estimated */
        int stream;         /*!< user whose channel is tracked, or -1 */
    };

    estimator::sptr
    build(const std::string& name, option_map options, const pilot_operator::sptr& op) const;
    /*! Builds and puts in place; the caller holds d_build_mutex. */
    void change(const std::string& name, const option_map& options, const pilot_operator::sptr& op);
    pilot_operator::sptr masked(const std::vector<uint8_t>& mask) const;
    void handle_control(const pmt::pmt_t& message);
    void apply_control(const pmt::pmt_t& message);

    void read_items(const gr_complex* y, int first, int count);
    void process(const gr_complex* y, int first, int count, gr_complex* h);
    /*! The user of an item if it is one that is tracked, else -1. */
    int stream_of(const item_tags& tags) const;
    /*! Whether a user between \p begin and \p end is that of item \p end too. */
    bool is_repeated(int begin, int end) const;
    void run_estimator(const gr_complex* y, int begin, int count, gr_complex* h);
    void estimate_run(const gr_complex* y, int begin, int end, gr_complex* h);
    void finish(int first, int count);
    void tag_item(uint64_t offset, int index);
    void report_item(int index);
    /*! \param item index in the estimator's last call */
    void publish_paths(int index, int item);

    const pilot_operator::sptr d_op;
    const int d_batch;
    const option_map d_array_options;
    const int d_tracked_users;
    const int d_n_observations;
    const int d_n_antennas;

    mutable std::mutex d_mutex; /*!< guards what work() runs: the estimator and its name */
    mutable std::mutex d_build_mutex; /*!< one change at a time */
    pilot_operator::sptr d_op_in_use; /*!< d_op or the same with a mask; under d_build_mutex */
    estimator::sptr d_estimator;
    tracking_estimator::sptr d_tracker; /*!< around d_estimator; null without tracked users */
    std::string d_algorithm;
    pmt::pmt_t d_algorithm_symbol;
    option_map d_options;
    bool d_is_warned = false; /*!< one log line per algorithm about what it cannot do */

    std::atomic<double> d_fixed_noise_var;
    std::atomic<uint64_t> d_estimates{ 0 };
    std::atomic<uint64_t> d_skipped{ 0 };
    std::atomic<int> d_largest_batch{ 0 };

    std::vector<item> d_items;              /*!< [batch] */
    std::vector<float> d_noise_vars;        /*!< [batch] */
    std::vector<int> d_streams;             /*!< [batch] */
    std::vector<estimate_report> d_reports; /*!< [batch] */
    std::vector<double> d_latencies;        /*!< [batch] in microseconds */
    std::vector<path_estimate> d_paths;
    std::vector<tag_t> d_tags;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_CHANNEL_ESTIMATOR_IMPL_H */
