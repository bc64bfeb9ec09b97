/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "item_check.h"
#include "onnx_denoiser_impl.h"
#include <gnuradio/io_signature.h>
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {

namespace {

// The bound that the OAMP estimators put on it too: 1 / (1 - alpha) stays finite.
constexpr float largest_divergence = 0.95f;

} // namespace

onnx_denoiser::sptr onnx_denoiser::make(const array_shape& shape,
                                        const std::string& denoiser,
                                        const option_map& options,
                                        double spacing,
                                        bool divergence_free)
{
    return gnuradio::make_block_sptr<onnx_denoiser_impl>(
        make_denoiser(denoiser, shape, options, 1, spacing), divergence_free);
}

onnx_denoiser_impl::onnx_denoiser_impl(denoiser::sptr denoise, bool divergence_free)
    : gr::sync_block("onnx_denoiser",
                     gr::io_signature::make2(
                         2, 2, denoise->shape().antennas() * sizeof(gr_complex), sizeof(float)),
                     gr::io_signature::make2(
                         1, 2, denoise->shape().antennas() * sizeof(gr_complex), sizeof(float))),
      d_denoiser(denoise),
      d_divergence_free(divergence_free),
      d_n_subarrays(denoise->shape().n_subarrays),
      d_n_antennas(denoise->shape().antennas()),
      d_antennas(d_n_antennas),
      d_r(d_n_subarrays * denoise->dict()->coefficients()),
      d_x(d_r.size())
{
    set_tag_propagation_policy(TPP_DONT);
}

std::string onnx_denoiser_impl::settings() const { return d_denoiser->repr(); }

item_tags onnx_denoiser_impl::read_tags(int index)
{
    item_tags read;
    get_tags_in_window(d_tags, 0, index, index + 1);
    for (const auto& tag : d_tags)
        read.read(tag);
    return read;
}

int onnx_denoiser_impl::work(int noutput_items,
                             gr_vector_const_void_star& input_items,
                             gr_vector_void_star& output_items)
{
    const auto* r = static_cast<const gr_complex*>(input_items[0]);
    const auto* variances = static_cast<const float*>(input_items[1]);
    auto* x_hat = static_cast<gr_complex*>(output_items[0]);
    auto* divergences = output_items.size() > 1 ? static_cast<float*>(output_items[1]) : nullptr;
    for (int i = 0; i < noutput_items; i++, r += d_n_antennas, x_hat += d_n_antennas) {
        const auto tags = read_tags(i);
        float divergence = 0.0f;
        const bool is_wanted = divergences || d_divergence_free;
        const auto fault = run(r, variances[i], tags, x_hat, is_wanted ? &divergence : nullptr);
        if (fault)
            std::fill_n(x_hat, d_n_antennas, gr_complex(0));
        if (divergences)
            divergences[i] = fault ? 0.0f : divergence;
        finish(i, tags, fault);
    }
    return noutput_items;
}

pmt::pmt_t onnx_denoiser_impl::run(const gr_complex* r,
                                   float variance,
                                   const item_tags& tags,
                                   gr_complex* x_hat,
                                   float* divergence)
{
    if (tags.skipped)
        return tags.skipped;
    if (const auto& fault = item_fault(r, d_n_antennas))
        return fault;
    const bool is_scaled = is_usable_noise_var(tags.amplitude);
    const float amplitude = is_scaled ? static_cast<float>(tags.amplitude) : 1.0f;
    const float scaled_variance = variance / amplitude / amplitude;
    if (!is_usable_noise_var(scaled_variance))
        return skip_reason::noise_var();
    load(r, amplitude);
    d_denoiser->denoise(d_r.data(), &scaled_variance, 1, d_x.data(), nullptr, divergence);
    if (d_divergence_free)
        remove_divergence(*divergence);
    d_denoiser->dict()->synthesize(d_x.data(), x_hat, d_n_subarrays);
    for (int i = 0; i < d_n_antennas; i++)
        x_hat[i] *= amplitude;
    if (!std::isfinite(item_energy(x_hat, d_n_antennas)))
        return skip_reason::diverged();
    return nullptr;
}

void onnx_denoiser_impl::load(const gr_complex* r, float amplitude)
{
    const float scale = 1.0f / amplitude;
    for (int i = 0; i < d_n_antennas; i++)
        d_antennas[i] = scale * r[i];
    d_denoiser->dict()->analyze(d_antennas.data(), d_r.data(), d_n_subarrays);
}

void onnx_denoiser_impl::remove_divergence(float divergence)
{
    const float alpha = std::clamp(divergence, 0.0f, largest_divergence);
    const float scale = 1.0f / (1.0f - alpha);
    for (size_t i = 0; i < d_x.size(); i++)
        d_x[i] = scale * (d_x[i] - alpha * d_r[i]);
}

void onnx_denoiser_impl::finish(int index, const item_tags& tags, const pmt::pmt_t& fault)
{
    ++(fault ? d_skipped : d_processed);
    for (const auto& tag : d_tags)
        add_item_tag(0, tag);
    if (fault && !tags.skipped)
        add_item_tag(0, nitems_written(0) + index, tags::skipped(), fault);
}

} // namespace thzum
} // namespace gr
