/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_BLOCKS_HYBRID_FIELD_CHANNEL_IMPL_H
#define INCLUDED_THZUM_BLOCKS_HYBRID_FIELD_CHANNEL_IMPL_H

#include <gnuradio/thzum/hybrid_field_channel.h>
#include <atomic>
#include <random>
#include <vector>

namespace gr {
namespace thzum {

class hybrid_field_channel_impl : public hybrid_field_channel
{
public:
    hybrid_field_channel_impl(pilot_operator::sptr op,
                              hybrid_field_model::sptr model,
                              double snr_db,
                              uint64_t seed,
                              uint64_t n_items);

    void set_snr_db(double snr_db) override;
    double snr_db() const override { return d_snr_db; }
    uint64_t items() const override { return d_items; }

    int work(int noutput_items,
             gr_vector_const_void_star& input_items,
             gr_vector_void_star& output_items) override;

private:
    void handle_control(const pmt::pmt_t& message);
    void add_noise(double noise_var, gr_complex* y);
    void tag_item(uint64_t offset, double noise_var, int n_outputs);

    pilot_operator::sptr d_op;
    hybrid_field_model::sptr d_model;
    std::mt19937_64 d_generator;       // of the channels, which the combiner does not change
    std::mt19937_64 d_noise_generator;
    const uint64_t d_n_items;
    std::atomic<double> d_snr_db;
    std::atomic<uint64_t> d_items{ 0 };

    std::vector<hybrid_field_path> d_paths;  // [L]
    std::vector<gr_complex> d_h;             // [N]
    std::vector<float> d_row_norms;          // [M] ||c[s,q]||
    std::vector<gr_complex> d_antenna_noise; // [N], common noise model only
    std::vector<gr_complex> d_pilot_noise;   // [M], common noise model only
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_BLOCKS_HYBRID_FIELD_CHANNEL_IMPL_H */
