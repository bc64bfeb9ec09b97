/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_BLOCKS_USER_ERRORS_H
#define INCLUDED_THZUM_BLOCKS_USER_ERRORS_H

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

namespace gr {
namespace thzum {

/*! errors / count, NaN where there is nothing to count */
inline double error_rate(uint64_t errors, uint64_t count)
{
    return count > 0 ? static_cast<double>(errors) / static_cast<double>(count)
                     : std::numeric_limits<double>::quiet_NaN();
}

/*! What error probes count for each user: symbols or blocks, and those that are wrong. */
class user_errors
{
public:
    explicit user_errors(int n_users) : d_errors(n_users), d_counts(n_users) {}

    void add(int user, bool is_wrong)
    {
        d_counts[user]++;
        d_errors[user] += is_wrong;
    }

    uint64_t errors() const { return total(d_errors); }
    uint64_t count() const { return total(d_counts); }
    double rate() const { return error_rate(errors(), count()); }

    std::vector<double> user_rates() const
    {
        std::vector<double> rates(d_errors.size());
        std::transform(
            d_errors.begin(), d_errors.end(), d_counts.begin(), rates.begin(), error_rate);
        return rates;
    }

    void reset()
    {
        std::fill(d_errors.begin(), d_errors.end(), 0);
        std::fill(d_counts.begin(), d_counts.end(), 0);
    }

private:
    static uint64_t total(const std::vector<uint64_t>& counters)
    {
        return std::accumulate(counters.begin(), counters.end(), uint64_t{ 0 });
    }

    std::vector<uint64_t> d_errors, d_counts; // [user]
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_BLOCKS_USER_ERRORS_H */
