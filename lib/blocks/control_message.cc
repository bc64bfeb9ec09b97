/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "block_arguments.h"
#include "control_message.h"
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

option_value to_option(const std::string& name, const pmt::pmt_t& value)
{
    if (pmt::is_bool(value))
        return pmt::to_bool(value);
    if (is_real_number(value))
        return pmt::to_double(value);
    if (pmt::is_symbol(value))
        return pmt::symbol_to_string(value);
    if (pmt::is_c32vector(value))
        return pmt::c32vector_elements(value);
    throw std::invalid_argument("options: '" + name +
                                "' expects a flag, a number, a symbol or a c32vector, got " +
                                pmt::write_string(value));
}

} // namespace

std::map<std::string, pmt::pmt_t> control_entries(const pmt::pmt_t& message)
{
    // A dictionary is also a pair, whose first member is a pair; a plain pair starts with its key.
    const bool is_pair = pmt::is_pair(message) && pmt::is_symbol(pmt::car(message));
    if (!is_pair && (!pmt::is_dict(message) || pmt::is_null(message)))
        throw std::invalid_argument("expected a dictionary or a (key . value) pair, got " +
                                    pmt::write_string(message));
    if (is_pair)
        return { { pmt::symbol_to_string(pmt::car(message)), pmt::cdr(message) } };
    std::map<std::string, pmt::pmt_t> entries;
    for (auto items = pmt::dict_items(message); pmt::is_pair(items); items = pmt::cdr(items)) {
        const auto item = pmt::car(items);
        if (!pmt::is_pair(item) || !pmt::is_symbol(pmt::car(item)))
            throw std::invalid_argument("expected symbols as keys, got " + pmt::write_string(item));
        entries[pmt::symbol_to_string(pmt::car(item))] = pmt::cdr(item);
    }
    return entries;
}

std::string control_text(const std::string& key, const pmt::pmt_t& value)
{
    if (!pmt::is_symbol(value))
        throw std::invalid_argument(key + ": expected a symbol, got " + pmt::write_string(value));
    return pmt::symbol_to_string(value);
}

double control_number(const std::string& key, const pmt::pmt_t& value)
{
    if (!is_real_number(value))
        throw std::invalid_argument(key + ": expected a number, got " + pmt::write_string(value));
    return pmt::to_double(value);
}

option_map control_options(const pmt::pmt_t& value)
{
    if (pmt::is_null(value))
        return {};
    option_map options;
    for (const auto& [name, option] : control_entries(value))
        options[name] = to_option(name, option);
    return options;
}

std::vector<uint8_t> control_mask(const pmt::pmt_t& value)
{
    if (pmt::is_null(value))
        return {};
    if (!pmt::is_u8vector(value))
        throw std::invalid_argument("mask: expected a u8vector or nil, got " + pmt::write_string(value));
    return pmt::u8vector_elements(value);
}

algorithm_control read_algorithm_control(const pmt::pmt_t& message,
                                         const std::string& block,
                                         const std::string& algorithm,
                                         double noise_var)
{
    algorithm_control control = { false, algorithm, {}, noise_var };
    for (const auto& [key, value] : control_entries(message)) {
        if (key == "algorithm") {
            control.algorithm = control_text(key, value);
            control.is_new_algorithm = true;
        } else if (key == "options") {
            control.options = control_options(value);
            control.is_new_algorithm = true;
        } else if (key == "noise_var") {
            control.noise_var = checked_noise_var(block, control_number(key, value));
        } else {
            throw std::invalid_argument("expected the keys algorithm, options or noise_var, got '" +
                                        key + "'");
        }
    }
    return control;
}

} // namespace thzum
} // namespace gr
