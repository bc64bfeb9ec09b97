/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "denoising/registry.h"
#include "measurement/checks.h"
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
    check_shape("denoiser", settings.shape);
    check_positive("denoiser", "max_batch", settings.max_batch);
    check_range("denoiser", "spacing", settings.spacing, 1e-3, 1e3);
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
