/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/thzum/options.h>
#include <algorithm>
#include <cmath>
#include <sstream>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

const char* type_name(const option_value& value)
{
    static const char* const names[] = { "a flag", "a number", "a text", "complex values" };
    return names[value.index()];
}

std::string known_options(const algorithm_info& info)
{
    std::ostringstream out;
    for (const auto& option : info.options)
        out << (out.tellp() > 0 ? ", " : "") << option.name;
    return info.options.empty() ? "none" : out.str();
}

} // namespace

bool takes_option(const std::vector<algorithm_info>& registry,
                  const std::string& name,
                  const std::string& option)
{
    for (const auto& info : registry)
        if (info.name == name)
            return std::any_of(info.options.begin(), info.options.end(), [&](const auto& known) {
                return known.name == option;
            });
    return false;
}

option_reader::option_reader(const algorithm_info& info, const option_map& given)
    : d_algorithm(info.name)
{
    for (const auto& option : info.options)
        d_values[option.name] = option.default_value;
    for (const auto& [name, value] : given) {
        const auto known = d_values.find(name);
        if (known == d_values.end())
            throw std::invalid_argument(info.name + ": unknown option '" + name +
                                        "'; known are: " + known_options(info));
        if (value.index() != known->second.index())
            throw std::invalid_argument(info.name + ": option '" + name + "' expects " +
                                        type_name(known->second) + ", got " + type_name(value));
        known->second = value;
    }
}

template <class T>
const T& option_reader::get(const std::string& name) const
{
    return std::get<T>(d_values.at(name));
}

bool option_reader::flag(const std::string& name) const { return get<bool>(name); }

double option_reader::number(const std::string& name, double min, double max) const
{
    const double value = get<double>(name);
    if (!(value >= min && value <= max)) {
        std::ostringstream message;
        message << d_algorithm << ": option '" << name << "' expects a number from " << min
                << " to " << max << ", got " << value;
        throw std::invalid_argument(message.str());
    }
    return value;
}

int option_reader::integer(const std::string& name, int min, int max) const
{
    const double value = number(name, min, max);
    if (value != std::floor(value)) {
        std::ostringstream message;
        message << d_algorithm << ": option '" << name << "' expects an integer, got " << value;
        throw std::invalid_argument(message.str());
    }
    return static_cast<int>(value);
}

const std::string& option_reader::text(const std::string& name) const
{
    return get<std::string>(name);
}

const std::string& option_reader::choice(const std::string& name,
                                         const std::vector<std::string>& choices) const
{
    const auto& value = text(name);
    if (std::find(choices.begin(), choices.end(), value) == choices.end()) {
        std::ostringstream message;
        message << d_algorithm << ": option '" << name << "' expects one of";
        for (const auto& known : choices)
            message << " '" << known << "'";
        message << ", got '" << value << "'";
        throw std::invalid_argument(message.str());
    }
    return value;
}

const std::vector<gr_complex>& option_reader::values(const std::string& name) const
{
    return get<std::vector<gr_complex>>(name);
}

} // namespace thzum
} // namespace gr
