/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_EFFECTIVE_CHANNEL_IMPL_H
#define INCLUDED_THZUM_EFFECTIVE_CHANNEL_IMPL_H

#include "detection/combiner_choice.h"
#include <gnuradio/thzum/effective_channel.h>
#include <atomic>
#include <mutex>

namespace gr {
namespace thzum {

class effective_channel_impl : public effective_channel
{
public:
    effective_channel_impl(int n_subarrays,
                           int n_antennas,
                           int n_users,
                           const std::vector<gr_complex>& codebook,
                           const std::vector<int>& beams,
                           double noise_scale,
                           const std::string& combiner);

    int work(int noutput_items,
             gr_vector_const_void_star& input_items,
             gr_vector_void_star& output_items) override;

    void set_beams(const std::vector<int>& beams) override;
    std::vector<int> beams() const override;
    void set_combiner(const std::string& combiner) override;
    std::string combiner() const override;
    int n_beams() const override { return d_n_beams; }
    uint64_t frames() const override { return d_frames; }
    uint64_t skipped_users() const override { return d_skipped_users; }

private:
    void process_frame(const gr_complex* h, int frame, gr_complex* H);
    int take_present(const gr_complex* h);
    bool choose_rows(bool has_users);
    double choice_noise_var() const;
    bool take_tagged_beams();
    bool is_user_present(const gr_complex* h, int user);
    void combine(int user, gr_complex* H) const;
    void read_noise_var(uint64_t first_item);
    void pass_tags(uint64_t frame_offset, uint64_t first_item);
    void tag_rows(uint64_t frame_offset);
    void check_beams(const std::vector<int>& beams) const;

    const int d_n_subarrays;
    const int d_n_antennas;
    const int d_n_users;
    const int d_n_beams;
    const double d_noise_scale;
    const std::vector<gr_complex> d_codebook; /*!< [beam][antenna] */

    mutable std::mutex d_mutex; /*!< guards the beams and the combiner asked for */
    std::vector<int> d_beams;
    std::string d_combiner;

    combiner_choice d_choice;
    std::string d_frame_combiner;      /*!< of the frame at hand */
    std::vector<int> d_frame_beams;    /*!< [subarray] of the frame at hand */
    std::vector<gr_complex> d_rows;    /*!< [subarray][antenna] of the frame at hand */
    std::vector<float> d_row_norms;    /*!< [subarray] ||c_s||^2 */
    std::vector<gr_complex> d_present; /*!< [user][subarray][antenna] with zeros for absent users */
    pmt::pmt_t d_frame_number;         /*!< null if there is none */
    double d_noise_var = 0.0; /*!< of a data sample behind a unit-norm row; 0 = not known */
    std::vector<pmt::pmt_t> d_user_faults; /*!< [user] why it is left out; null if it is not */
    std::vector<tag_t> d_tags;             /*!< of the frame at hand */
    std::atomic<uint64_t> d_frames{ 0 };
    std::atomic<uint64_t> d_skipped_users{ 0 };
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_EFFECTIVE_CHANNEL_IMPL_H */
