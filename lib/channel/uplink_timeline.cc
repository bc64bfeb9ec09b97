/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "channel/uplink_timeline.h"
#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>

namespace gr {
namespace thzum {

namespace {

constexpr int64_t beginning = std::numeric_limits<int64_t>::min();
constexpr int64_t largest_time = int64_t(1) << 62; // sums of two stay within an int64_t

[[noreturn]] void reject(const std::string& expected, const std::string& got)
{
    throw std::invalid_argument("schedule: expected " + expected + ", got " + got);
}

int64_t floor_mod(int64_t value, int64_t modulus)
{
    const int64_t rest = value % modulus;
    return rest < 0 ? rest + modulus : rest;
}

} // namespace

uplink_timeline::uplink_timeline(const uplink_schedule& schedule, int n_entries)
    : d_n_entries(n_entries)
{
    d_periods.push_back(checked(schedule, beginning));
}

uplink_timeline::period uplink_timeline::checked(const uplink_schedule& schedule,
                                                 int64_t first) const
{
    if (schedule.entries.empty() || schedule.entries.size() != schedule.lengths.size())
        reject("entries and as many lengths, at least one",
               std::to_string(schedule.entries.size()) + " and " +
                   std::to_string(schedule.lengths.size()));
    if (schedule.start > largest_time || schedule.start < -largest_time)
        reject("a start within 2^62 samples", std::to_string(schedule.start));
    const auto& entries = schedule.entries;
    const bool is_fixed =
        std::all_of(entries.begin(), entries.end(), [&](int entry) { return entry == entries[0]; });
    period checked{ first, schedule.start, is_fixed, entries, {} };
    for (const int entry : schedule.entries)
        if (entry < 0 || entry >= d_n_entries)
            reject("entries from 0 to " + std::to_string(d_n_entries - 1) +
                       " of the combiner table",
                   std::to_string(entry));
    int64_t end = 0;
    for (const int64_t length : schedule.lengths) {
        if (length < 1 || length > largest_time - end)
            reject("lengths of at least 1 sample, 2^62 in all", std::to_string(length));
        checked.ends.push_back(end += length);
    }
    return checked;
}

void uplink_timeline::set(const uplink_schedule& schedule, int64_t sample, int64_t now)
{
    auto next = checked(schedule, std::max(sample, now));
    const auto from = std::find_if(d_periods.begin(), d_periods.end(), [&](const period& known) {
        return known.first >= next.first;
    });
    d_periods.erase(from, d_periods.end());
    d_periods.push_back(std::move(next));
    while (d_periods.size() > 1 && d_periods[1].first <= now)
        d_periods.erase(d_periods.begin());
}

combiner_interval uplink_timeline::at(int64_t sample) const
{
    auto it = d_periods.end() - 1;
    int64_t limit = std::numeric_limits<int64_t>::max();
    while (it != d_periods.begin() && it->first > sample) {
        limit = it->first;
        --it;
    }
    if (it->is_fixed)
        return { it->entries[0], limit };
    const int64_t phase = floor_mod(sample - it->start, it->ends.back());
    const auto end = std::upper_bound(it->ends.begin(), it->ends.end(), phase);
    return { it->entries[size_t(end - it->ends.begin())], std::min(sample + *end - phase, limit) };
}

} // namespace thzum
} // namespace gr
