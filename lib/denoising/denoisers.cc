/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "denoising/registry.h"
#include <cmath>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

const std::vector<denoiser_entry>& entries()
{
    static const std::vector<denoiser_entry> list = {
        soft_threshold_entry(),
        bernoulli_gaussian_entry(),
        onnx_denoiser_entry(),
    };
    return list;
}

const denoiser_entry& find(const std::string& name)
{
    std::string known;
    for (const auto& entry : entries()) {
        if (entry.info.name == name)
            return entry;
        known += (known.empty() ? "" : ", ") + entry.info.name;
    }
    throw std::invalid_argument("denoiser: expected one of " + known + ", got '" + name + "'");
}

void check(const denoiser_settings& settings)
{
    const auto& shape = settings.shape;
    const auto at_least_one = [](const char* name, int value) {
        if (value < 1)
            throw std::invalid_argument(std::string(name) + ": expected at least 1, got " +
                                        std::to_string(value));
    };
    at_least_one("n_subarrays", shape.n_subarrays);
    at_least_one("rows", shape.rows);
    at_least_one("cols", shape.cols);
    at_least_one("max_batch", settings.max_batch);
    if (!(settings.spacing > 0) || !std::isfinite(settings.spacing))
        throw std::invalid_argument("spacing: expected a positive number of wavelengths, got " +
                                    std::to_string(settings.spacing));
}

} // namespace

const std::vector<algorithm_info>& denoisers()
{
    static const std::vector<algorithm_info> infos = [] {
        std::vector<algorithm_info> list;
        for (const auto& entry : entries())
            list.push_back(entry.info);
        return list;
    }();
    return infos;
}

denoiser::sptr make_denoiser(const std::string& name,
                             const array_shape& shape,
                             const option_map& options,
                             int max_batch,
                             double spacing)
{
    const denoiser_settings settings{ shape, max_batch, spacing };
    check(settings);
    const auto& entry = find(name);
    return entry.make(settings, option_reader(entry.info, options));
}

option_info dictionary_option(const std::string& default_name)
{
    std::string known;
    for (const auto& name : dictionary::names())
        known += (known.empty() ? "" : ", ") + name;
    return { "dictionary", default_name, "domain of the coefficients: " + known };
}

dictionary::sptr make_dictionary(const denoiser_settings& settings, const option_reader& options)
{
    const auto& name = options.choice("dictionary", dictionary::names());
    return dictionary::make(name, settings.shape.rows, settings.shape.cols, settings.spacing);
}

} // namespace thzum
} // namespace gr
