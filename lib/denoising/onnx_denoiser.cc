/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "denoising/denoiser_base.h"
#include "denoising/denoiser_card.h"
#include <gnuradio/thzum/onnx_model.h>
#include <volk/volk_alloc.hh>
#include <algorithm>
#include <cmath>
#include <random>
#include <sstream>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

constexpr const char* task = "subarray_denoiser";
constexpr float probe_step = 0.02f; // of the noise standard deviation

/*! A fixed probe: random signs (+-1 +-j) / sqrt(2), of which E b b^H = I and E b b^T = 0. */
volk::vector<gr_complex> make_probe(int count)
{
    std::mt19937 random(1);
    const float part = std::sqrt(0.5f);
    volk::vector<gr_complex> probe(count);
    for (auto& b : probe) {
        const auto bits = random();
        b = { bits & 1 ? part : -part, bits & 2 ? part : -part };
    }
    return probe;
}

/*! A network of the task "subarray_denoiser" behind the denoiser interface. */
class onnx_denoiser : public denoiser_base
{
public:
    onnx_denoiser(const denoiser_settings& settings,
                  onnx_model::sptr model,
                  const denoiser_card& card)
        : denoiser_base("onnx", settings, card.domain),
          d_model(std::move(model)),
          d_domain(card.domain),
          d_curve(card.curve),
          d_noise(card.noise),
          d_image_size(settings.shape.n_subarrays * 2 * d_domain->row_axis().grid *
                       d_domain->col_axis().grid),
          d_probe(make_probe(item_size())),
          d_probed(settings.max_batch * item_size())
    {
        reserve_ports();
    }

    void denoise(const gr_complex* r,
                 const float* variance,
                 int batch,
                 gr_complex* x_hat,
                 float* error_variance,
                 float* divergence) override
    {
        check(variance, batch);
        load(r, variance, batch, 0);
        if (divergence)
            load_probed(r, variance, batch);
        d_model->run(divergence ? 2 * batch : batch);
        d_domain->from_image(d_denoised, x_hat, batch * shape().n_subarrays);
        if (divergence)
            read_divergence(x_hat, variance, batch, divergence);
        if (error_variance)
            for (int b = 0; b < batch; b++)
                error_variance[b] = predicted_error(variance[b]);
    }

    std::string repr() const override
    {
        std::ostringstream out;
        out << repr_head() << ", noise " << 10 * std::log10(d_noise.lowest) << " to "
            << 10 * std::log10(d_noise.highest) << " dB, " << d_model->repr() << ")";
        return out.str();
    }

private:
    void reserve_ports()
    {
        const auto& array = shape();
        const int64_t batch = 2 * max_batch(); // the items and, for the divergence, their probes
        const std::vector<int64_t> image{
            batch, array.n_subarrays, 2, d_domain->row_axis().grid, d_domain->col_axis().grid
        };
        d_image = d_model->reserve_input(d_model->input("image"), image);
        d_noise_std = d_model->reserve_input(d_model->input("noise_std"), { batch });
        d_denoised = d_model->reserve_output(d_model->output("denoised"), image);
    }

    void load(const gr_complex* r, const float* variance, int batch, int first)
    {
        d_domain->image(r, d_image + first * d_image_size, batch * shape().n_subarrays);
        for (int b = 0; b < batch; b++)
            d_noise_std[first + b] = d_noise.known_std(variance[b]);
    }

    void load_probed(const gr_complex* r, const float* variance, int batch)
    {
        const int count = item_size();
        for (int b = 0; b < batch; b++) {
            const float step = probe_step * d_noise.known_std(variance[b]);
            for (int i = 0; i < count; i++)
                d_probed[b * count + i] = r[b * count + i] + step * d_probe[i];
        }
        load(d_probed.data(), variance, batch, batch);
    }

    /*! Re b^H (D(r + step b) - D(r)) / (step K), of which the mean over probes is the divergence.
     */
    void
    read_divergence(const gr_complex* x_hat, const float* variance, int batch, float* divergence)
    {
        const int count = item_size();
        d_domain->from_image(
            d_denoised + batch * d_image_size, d_probed.data(), batch * shape().n_subarrays);
        for (int b = 0; b < batch; b++) {
            double sum = 0;
            for (int i = 0; i < count; i++) {
                const auto change = d_probed[b * count + i] - x_hat[b * count + i];
                sum += d_probe[i].real() * change.real() + d_probe[i].imag() * change.imag();
            }
            divergence[b] = sum / (probe_step * d_noise.known_std(variance[b]) * count);
        }
    }

    /*! The card states the error of whole channels of unit power per antenna. */
    float predicted_error(float variance) const
    {
        const double nmse_db = d_curve.at(10 * std::log10(variance));
        return std::pow(10.0, nmse_db / 10) * shape().elements() / dict()->coefficients();
    }

    onnx_model::sptr d_model;
    visible_region::sptr d_domain;
    error_curve d_curve;
    noise_range d_noise;
    int d_image_size; // floats of the images of one item
    volk::vector<gr_complex> d_probe;
    volk::vector<gr_complex> d_probed; // [max_batch][S*k]
    float* d_image = nullptr;
    float* d_noise_std = nullptr;
    const float* d_denoised = nullptr;
};

denoiser::sptr make(const denoiser_settings& settings, const option_reader& options)
{
    const int threads = options.integer("threads", 1, 256);
    auto path = options.text("model");
    if (path.empty())
        path = onnx_model::shipped("fpn_oamp");
    auto model = onnx_model::make(path, task, threads);
    const auto card = denoiser_card::read(*model, settings);
    return std::make_shared<onnx_denoiser>(settings, std::move(model), card);
}

} // namespace

denoiser_entry onnx_denoiser_entry()
{
    return { { "onnx",
               "a trained network for the task subarray_denoiser, run by ONNX Runtime",
               { { "model",
                   std::string(),
                   "path of the .onnx file; empty for the shipped network fpn_oamp" },
                 { "threads", 1.0, "intra-op threads of ONNX Runtime, 1 to 256" } } },
             &make };
}

} // namespace thzum
} // namespace gr
