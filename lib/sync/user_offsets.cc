/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "sync/gamma_quantile.h"
#include "sync/user_offsets.h"
#include <cmath>

namespace gr {
namespace thzum {

namespace {

constexpr double noise_deviations = 4.3; // 1e-5 for each place where a peak may be
constexpr double false_deviations = 3.5; // 2e-4 for users without offsets
constexpr double smallest_turn = 0.02 / (2 * M_PI);

double chi_square_quantile(double freedom, double deviations)
{
    return freedom * gamma_quantile(0.5 * freedom, deviations);
}

} // namespace

user_offsets::user_offsets(const reference_layout& layout, double largest)
    : d_layout(layout),
      d_largest(std::min(largest, periodogram::unambiguous(layout))),
      d_spectrum(layout, d_largest),
      d_is_strong(layout.n_users),
      d_peaks(layout.n_users),
      d_sum(d_spectrum.size()),
      d_frequency(layout.n_users)
{
}

// What L_k of noise alone hardly exceeds anywhere: a chi-square sum over chains and groups.
double user_offsets::noise_peak(const std::vector<int>& group_sizes) const
{
    double groups = 0;
    for (const int size : group_sizes)
        groups += size > 0;
    const double freedom = std::max(2.0 * d_layout.n_chains * groups, 1.0);
    return 0.5 * chi_square_quantile(freedom, noise_deviations);
}

// Peaks of the users; returns how many of them are there for sure.
int user_offsets::scan(const gr_complex* values, const std::vector<int>& group_sizes)
{
    d_spectrum.scan(values, group_sizes, 0);
    const double noise = noise_peak(group_sizes);
    int strong = 0;
    for (int k = 0; k < d_layout.n_users; k++) {
        d_peaks[k] = d_spectrum.highest(d_spectrum.of_user(k), 0);
        d_is_strong[k] = d_peaks[k].value > noise;
        strong += d_is_strong[k];
    }
    return strong;
}

bool user_offsets::find(const gr_complex* values, const std::vector<int>& group_sizes)
{
    if (d_largest == 0.0)
        return false;
    const int strong = scan(values, group_sizes);
    if (strong < 2)
        return false;
    std::fill(d_sum.begin(), d_sum.end(), 0.0f);
    double apart = 0.0;
    for (int k = 0; k < d_layout.n_users; k++) {
        if (!d_is_strong[k])
            continue;
        const float* row = d_spectrum.of_user(k);
        for (size_t m = 0; m < d_sum.size(); m++)
            d_sum[m] += row[m];
        apart += d_peaks[k].value;
    }
    const auto together = d_spectrum.highest(d_sum.data(), 0);
    double farthest = 0.0;
    for (int k = 0; k < d_layout.n_users; k++)
        if (d_is_strong[k])
            farthest = std::max(farthest, std::abs(d_peaks[k].frequency - together.frequency));
    return farthest * d_layout.duration() > smallest_turn &&
           2 * (apart - together.value) > chi_square_quantile(strong - 1, false_deviations);
}

const std::vector<double>& user_offsets::estimate(const gr_complex* values,
                                                  const std::vector<int>& group_sizes)
{
    scan(values, group_sizes);
    for (int k = 0; k < d_layout.n_users; k++)
        d_frequency[k] =
            d_is_strong[k] ? d_spectrum.refined(values, group_sizes, k, d_peaks[k].frequency) : 0.0;
    return d_frequency;
}

} // namespace thzum
} // namespace gr
