/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "onnx/model_card.h"
#include <charconv>
#include <cmath>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

std::string trimmed(const std::string& text)
{
    const auto first = text.find_first_not_of(" \t\n");
    if (first == std::string::npos)
        return "";
    return text.substr(first, text.find_last_not_of(" \t\n") - first + 1);
}

} // namespace

void check_model_card(const std::string& path, const model_card& card, const std::string& task)
{
    const auto format = card.find("format");
    if (format == card.end())
        throw std::runtime_error(
            "model " + path +
            ": has no model card (metadata thzum.format); add one when exporting, as "
            "docs/onnx-contract.md says");
    if (format->second != model_card_format)
        throw std::runtime_error("model " + path + ": model card of format '" + format->second +
                                 "', this version reads format '" + model_card_format +
                                 "'; update gr-thzum or export the model again");
    const auto given = card.find("task");
    if (given == card.end() || given->second != task)
        throw std::runtime_error(
            "model " + path + ": expected a model for task '" + task + "', got " +
            (given == card.end() ? "no thzum.task in its card" : "'" + given->second + "'") +
            "; give a model made for '" + task + "'");
}

std::vector<double>
parse_card_numbers(const std::string& path, const std::string& key, const std::string& text)
{
    std::vector<double> numbers;
    size_t begin = 0;
    while (begin <= text.size()) {
        const auto end = std::min(text.find(',', begin), text.size());
        const auto item = trimmed(text.substr(begin, end - begin));
        double value = 0;
        const auto parsed = std::from_chars(item.data(), item.data() + item.size(), value);
        if (parsed.ec != std::errc() || parsed.ptr != item.data() + item.size() ||
            !std::isfinite(value))
            throw std::runtime_error("model " + path + ": card entry thzum." + key +
                                     " expects numbers separated by commas, got '" + text +
                                     "'; export the model again with a correct card");
        numbers.push_back(value);
        begin = end + 1;
    }
    return numbers;
}

} // namespace thzum
} // namespace gr
