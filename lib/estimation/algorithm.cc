/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/algorithm.h"
#include "estimation/noise_level.h"
#include "estimation/quantised_estimator.h"
#include <algorithm>
#include <set>
#include <sstream>
#include <utility>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

// Names of with_denoiser()'s options that belong to the denoisers alone.
std::set<std::string> denoiser_option_names()
{
    std::set<std::string> names;
    for (const auto& info : denoisers())
        for (const auto& option : info.options)
            names.insert(option.name);
    return names;
}

// Whether a denoiser works in a dictionary of the user's choice; networks bring their own.
bool has_dictionary(const std::string& denoiser)
{
    for (const auto& info : denoisers())
        for (const auto& option : info.options)
            if (info.name == denoiser && option.name == "dictionary")
                return true;
    return false;
}

void append_missing(std::vector<option_info>& options, const std::vector<option_info>& more)
{
    for (const auto& option : more) {
        const bool known =
            std::any_of(options.begin(), options.end(), [&option](const option_info& o) {
                return o.name == option.name;
            });
        if (!known)
            options.push_back(option);
    }
}

std::string to_text(const option_value& value)
{
    std::ostringstream out;
    if (const auto* flag = std::get_if<bool>(&value))
        out << (*flag ? "true" : "false");
    else if (const auto* number = std::get_if<double>(&value))
        out << *number;
    else if (const auto* text = std::get_if<std::string>(&value))
        out << '"' << *text << '"';
    else
        out << '<' << std::get<std::vector<gr_complex>>(value).size() << " values>";
    return out.str();
}

} // namespace

std::vector<option_info> common_options()
{
    std::vector<option_info> options = {
        { "max_batch", 16.0, "Channels worked on at once, 1 to 4096; memory grows with it." },
        { "spacing",
          0.2,
          "Element spacing in wavelengths, 0.01 to 2; tells which plane waves are visible." },
        { "noise_paths",
          double(default_noise_paths),
          "Paths taken out of the pilots before an unknown noise level is read off them, 0 to 64; 0 is "
          "fast and less accurate." }
    };
    append_missing(options, converter_options());
    return options;
}

std::vector<option_info> with_common(std::vector<option_info> own)
{
    append_missing(own, common_options());
    return own;
}

std::vector<option_info> with_denoiser(std::vector<option_info> own,
                                       const std::string& default_denoiser)
{
    own.insert(own.begin(),
               { "denoiser", default_denoiser, "Non-linear module, one of denoisers()." });
    append_missing(own, common_options());
    for (const auto& info : denoisers())
        append_missing(own, info.options);
    return own;
}

denoiser::sptr make_inner_denoiser(const algorithm_info& info,
                                   const pilot_operator::sptr& op,
                                   const option_map& given,
                                   bool one_subarray)
{
    const option_reader reader(info, given);
    const auto names = denoiser_option_names();
    option_map inner;
    if (has_dictionary(reader.text("denoiser")))
        inner["dictionary"] = reader.text("dictionary");
    for (const auto& [name, value] : given)
        if (names.count(name) > 0)
            inner[name] = value;
    array_shape shape = op->shape();
    int max_batch = reader.integer("max_batch", 1, 4096);
    if (one_subarray)
        max_batch *= std::exchange(shape.n_subarrays, 1);
    return make_denoiser(reader.text("denoiser"),
                         shape,
                         inner,
                         max_batch,
                         reader.number("spacing", 0.01, 2.0));
}

option_map settings_in_force(const algorithm_info& info, const option_map& given)
{
    const auto inner = denoiser_option_names();
    const bool has_denoiser =
        std::any_of(info.options.begin(), info.options.end(), [](const option_info& o) {
            return o.name == "denoiser";
        });
    option_map settings = given;
    for (const auto& option : info.options)
        if (!has_denoiser || inner.count(option.name) == 0)
            settings.insert({ option.name, option.default_value });
    return settings;
}

std::string describe_settings(const std::string& name, const option_map& settings)
{
    std::ostringstream out;
    const char* separator = "";
    out << name << '(';
    for (const auto& [option, value] : settings) {
        out << separator << option << '=' << to_text(value);
        separator = ", ";
    }
    out << ')';
    return out.str();
}

} // namespace estimation
} // namespace thzum
} // namespace gr
