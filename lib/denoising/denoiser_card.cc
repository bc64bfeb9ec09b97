/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "denoising/denoiser_card.h"
#include <stdexcept>
#include <string>
#include <utility>

namespace gr {
namespace thzum {

namespace {

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

noise_range read_noise_range(const onnx_model& model)
{
    const double min = model.number("noise_db_min");
    const double max = model.number("noise_db_max");
    if (min > max)
        throw wrong_card(model, "noise_db_min", "is larger than thzum.noise_db_max");
    return { static_cast<float>(std::pow(10.0, min / 10)),
             static_cast<float>(std::pow(10.0, max / 10)) };
}

} // namespace

denoiser_card denoiser_card::read(const onnx_model& model, const denoiser_settings& settings)
{
    return { make_domain(model, settings), read_curve(model), read_noise_range(model) };
}

} // namespace thzum
} // namespace gr
