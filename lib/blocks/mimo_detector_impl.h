/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_MIMO_DETECTOR_IMPL_H
#define INCLUDED_THZUM_MIMO_DETECTOR_IMPL_H

#include "user_phases.h"
#include <gnuradio/thzum/mimo_detector.h>
#include <atomic>
#include <mutex>

namespace gr {
namespace thzum {

class mimo_detector_impl : public mimo_detector
{
public:
    mimo_detector_impl(detector::sptr first_detector,
                       const std::string& algorithm,
                       const option_map& options,
                       int n_symbols,
                       double noise_var,
                       int offset,
                       int block_length);

    bool check_topology(int ninputs, int noutputs) override;
    bool start() override;
    bool stop() override;
    void forecast(int noutput_items, gr_vector_int& ninput_items_required) override;
    int general_work(int noutput_items,
                     gr_vector_int& ninput_items,
                     gr_vector_const_void_star& input_items,
                     gr_vector_void_star& output_items) override;

    void set_algorithm(const std::string& name, const option_map& options) override;
    void set_constellation(const std::string& constellation) override;
    std::string constellation() const override;
    void set_noise_var(double noise_var) override;
    std::string algorithm() const override;
    std::string settings() const override;
    double noise_var() const override { return d_fixed_noise_var; }
    uint64_t detected() const override { return d_detected; }
    uint64_t skipped() const override { return d_skipped; }
    int largest_batch() const override { return d_largest_batch; }

private:
    /*! Where results go; null where an output is not connected. */
    struct outputs {
        int32_t* symbols;
        float* llr;
        gr_complex* x_hat;
        float* variance;
        float* posterior;
    };

    /*! The coherence block at hand. */
    struct coherence_block {
        int position = 0; /*!< vectors of it that have been taken from the input */
        int length = 0;   /*!< vectors of it */
        int end = 0;      /*!< vector after the last to detect */
        pmt::pmt_t fault; /*!< why all of it is skipped; null if it is not */
        pmt::pmt_t frame; /*!< value of the frame tag; null if there is none */
        float noise_var = 0.0f;
        int users = 0;
        int skipped = 0;
        double latency_us = 0.0;
    };

    void handle_control(const pmt::pmt_t& message);
    void apply_control(const pmt::pmt_t& message);

    void begin_block(const gr_complex* H, int index);
    pmt::pmt_t read_block_tags(int index);
    void read_length(const pmt::pmt_t& value);
    bool read_noise_scale(const pmt::pmt_t& value);
    const gr_complex* whiten(const gr_complex* y, int count);
    void load_channel();
    void read_phases(const tag_t& tag);
    void read_phases_at(int index);
    void pass_by_phases(int first, int count);
    void
    detect_vectors(const gr_complex* y, int first_in, int first_out, int count, const outputs& out);
    void mark_faults(const gr_complex* y, int first, int count);
    void detect_run(const gr_complex* y, int begin, int end, const outputs& out);
    void find_posterior(int count, const outputs& to);
    void skip_vector(int index, const outputs& out);
    void tag_vectors(int first_in, int first_out, int count);
    void add_output_tag(int index, const pmt::pmt_t& key, const pmt::pmt_t& value);
    void report_block();

    outputs outputs_at(gr_vector_void_star& output_items, int first) const;
    outputs advance(const outputs& out, int vectors) const;

    const int d_n_rx;
    const int d_n_tx;
    const int d_bits; /*!< of the soft-bit items */
    const int d_n_symbols;
    const int d_offset;
    const int d_block_length;
    int d_n_outputs = 1;

    mutable std::mutex d_mutex; /*!< guards what general_work() runs: the detector and its name */
    std::mutex d_build_mutex;   /*!< one change at a time */
    detector::sptr d_detector;
    std::string d_algorithm;
    option_map d_options;
    std::string d_constellation;
    bool d_has_llr = false; /*!< whether the soft bits are connected; known while running */
    bool d_is_channel_loaded = false;

    std::atomic<double> d_fixed_noise_var;
    std::atomic<uint64_t> d_detected{ 0 };
    std::atomic<uint64_t> d_skipped{ 0 };
    std::atomic<int> d_largest_batch{ 0 };

    coherence_block d_block;
    std::vector<gr_complex> d_channel;  /*!< [n_rx][n_tx] of the block at hand */
    std::vector<gr_complex> d_turned;   /*!< [n_rx][n_tx] with users' phases */
    std::vector<tag_t> d_block_tags;    /*!< of the H item, until its first vector is out */
    std::vector<tag_t> d_vector_tags;   /*!< of the y items at hand */
    std::vector<float> d_row_scale;     /*!< [n_rx] what makes the noise white; empty = it is */
    std::vector<gr_complex> d_white;    /*!< [batch][n_rx] */
    std::vector<pmt::pmt_t> d_faults;   /*!< [batch] of the y items at hand; null if sound */
    std::vector<bool> d_tagged_skipped; /*!< [batch] tagged so upstream already */
    std::vector<bool> d_has_phases;     /*!< [batch] whether phases begin there */
    user_phases d_phases;               /*!< in force */
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_MIMO_DETECTOR_IMPL_H */
