/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ONNX_DENOISER_IMPL_H
#define INCLUDED_THZUM_ONNX_DENOISER_IMPL_H

#include "item_tags.h"
#include <gnuradio/thzum/denoiser.h>
#include <gnuradio/thzum/onnx_denoiser.h>
#include <atomic>

namespace gr {
namespace thzum {

class onnx_denoiser_impl : public onnx_denoiser
{
public:
    onnx_denoiser_impl(denoiser::sptr denoise, bool divergence_free);

    int work(int noutput_items,
             gr_vector_const_void_star& input_items,
             gr_vector_void_star& output_items) override;

    std::string settings() const override;
    uint64_t processed() const override { return d_processed; }
    uint64_t skipped() const override { return d_skipped; }

private:
    item_tags read_tags(int index);
    pmt::pmt_t run(const gr_complex* r,
                   float variance,
                   const item_tags& tags,
                   gr_complex* x_hat,
                   float* divergence);
    void load(const gr_complex* r, float amplitude);
    void remove_divergence(float divergence);
    void finish(int index, const item_tags& tags, const pmt::pmt_t& fault);

    const denoiser::sptr d_denoiser;
    const bool d_divergence_free;
    const int d_n_subarrays;
    const int d_n_antennas;
    std::vector<gr_complex> d_antennas, d_r, d_x;
    std::atomic<uint64_t> d_processed{ 0 };
    std::atomic<uint64_t> d_skipped{ 0 };
    std::vector<tag_t> d_tags;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ONNX_DENOISER_IMPL_H */
