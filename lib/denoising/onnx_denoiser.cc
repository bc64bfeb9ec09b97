/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "denoising/denoiser_base.h"
#include "denoising/error_curve.h"
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

std::runtime_error
wrong_card(const onnx_model& model, const std::string& entries, const std::string& what)
{
    return std::runtime_error("model " + model.path() + ": card, thzum." + entries + ": " + what +
                              "; export the model again with a correct card");
}

/*! One value for both axes, or one each. */
std::pair<double, double> axis_values(const onnx_model& model, const std::string& key)
{
    const auto values = model.numbers(key);
    if (values.size() > 2)
        throw wrong_card(model, key, "expected one or two numbers, got '" + model.text(key) + "'");
    return { values.front(), values.back() };
}

void require(bool ok,
             const onnx_model& model,
             const std::string& what,
             const std::string& expected,
             const std::string& got)
{
    if (!ok)
        throw std::invalid_argument("model " + model.path() + ": made for " + what + " " +
                                    expected + ", the array has " + got +
                                    "; give a model made for this array");
}

void check_array(const onnx_model& model, const array_shape& shape)
{
    const auto size = [](int rows, int cols) {
        return std::to_string(rows) + "x" + std::to_string(cols);
    };
    const int rows = model.number("subarray_rows");
    const int cols = model.number("subarray_cols");
    require(rows == shape.rows && cols == shape.cols,
            model,
            "subarrays of",
            size(rows, cols),
            size(shape.rows, shape.cols));
    if (model.text("n_subarrays") == "any")
        return;
    const int n_subarrays = model.number("n_subarrays");
    require(n_subarrays == shape.n_subarrays,
            model,
            "a number of subarrays of",
            std::to_string(n_subarrays),
            std::to_string(shape.n_subarrays));
}

/*! The domain the card describes. */
visible_region::sptr make_domain(const onnx_model& model, const denoiser_settings& settings)
{
    if (model.text("domain") != "visible_region")
        throw wrong_card(
            model, "domain", "expected 'visible_region', got '" + model.text("domain") + "'");
    check_array(model, settings.shape);
    const auto slepian = axis_values(model, "n_slepian");
    const auto bandwidth = axis_values(model, "half_bandwidth");
    const auto grid = axis_values(model, "grid");
    const auto span = axis_values(model, "span");
    const auto least = std::min(bandwidth.first, bandwidth.second);
    require(least >= std::min(settings.spacing, 0.5),
            model,
            "element spacings up to",
            std::to_string(least) + " wavelengths",
            std::to_string(settings.spacing));
    const auto& shape = settings.shape;
    try {
        return visible_region::make({ shape.rows,
                                      static_cast<int>(slepian.first),
                                      bandwidth.first,
                                      static_cast<int>(grid.first),
                                      span.first },
                                    { shape.cols,
                                      static_cast<int>(slepian.second),
                                      bandwidth.second,
                                      static_cast<int>(grid.second),
                                      span.second });
    } catch (const std::invalid_argument& error) {
        throw wrong_card(model, "n_slepian, half_bandwidth, grid and span", error.what());
    }
}

error_curve read_curve(const onnx_model& model)
{
    try {
        return error_curve(model.numbers("nmse_curve_noise_db"), model.numbers("nmse_curve_db"));
    } catch (const std::invalid_argument& error) {
        throw wrong_card(model, "nmse_curve_noise_db and nmse_curve_db", error.what());
    }
}

/*! Noise variances that a network was trained for. */
struct noise_range {
    float lowest;
    float highest;

    static noise_range read(const onnx_model& model)
    {
        const double min = model.number("noise_db_min");
        const double max = model.number("noise_db_max");
        if (min > max)
            throw wrong_card(model, "noise_db_min", "is larger than thzum.noise_db_max");
        return { static_cast<float>(std::pow(10.0, min / 10)),
                 static_cast<float>(std::pow(10.0, max / 10)) };
    }

    /*! Standard deviation of the nearest level the network knows. */
    float known_std(float variance) const
    {
        return std::sqrt(std::clamp(variance, lowest, highest));
    }
};

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
                  visible_region::sptr domain)
        : denoiser_base("onnx", settings, domain),
          d_model(std::move(model)),
          d_domain(std::move(domain)),
          d_curve(read_curve(*d_model)),
          d_noise(noise_range::read(*d_model)),
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
    auto domain = make_domain(*model, settings);
    return std::make_shared<onnx_denoiser>(settings, std::move(model), std::move(domain));
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
