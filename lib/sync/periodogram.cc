/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "sync/parabola.h"
#include "sync/periodogram.h"
#include <cmath>

namespace gr {
namespace thzum {

namespace {

constexpr int max_places = 1 << 14;

/*! Steps within 1 / duration, about the width of the peak. */
constexpr double steps_per_width = 8.0;

// sum += x (cos - j sin)
THZUM_MULTIVERSION
void add_turned(float re,
                float im,
                const float* __restrict cosine,
                const float* __restrict sine,
                float* __restrict sum_re,
                float* __restrict sum_im,
                int count)
{
    for (int m = 0; m < count; m++) {
        sum_re[m] += re * cosine[m] + im * sine[m];
        sum_im[m] += im * cosine[m] - re * sine[m];
    }
}

THZUM_MULTIVERSION
void add_energy(const float* __restrict re,
                const float* __restrict im,
                float scale,
                float* __restrict sum,
                int count)
{
    for (int m = 0; m < count; m++)
        sum[m] += scale * (re[m] * re[m] + im[m] * im[m]);
}

} // namespace

// Half way to the next frequency that looks the same, less a margin.
double periodogram::unambiguous(const reference_layout& layout)
{
    return layout.largest_gap > 0.0 ? 0.4 / layout.largest_gap : 0.0;
}

periodogram::periodogram(const reference_layout& layout, double largest) : d_layout(layout)
{
    if (unambiguous(layout) == 0.0)
        return;
    d_step = std::max(1.0 / (steps_per_width * layout.duration()), 2 * largest / (max_places - 3));
    // One more at either end, so that a peak has two neighbours.
    d_size = 2 * (int(largest / d_step) + 1) + 1;
    for (const double time : layout.times)
        for (int m = 0; m < d_size; m++) {
            const double turn = 2 * M_PI * std::remainder(frequency(m) * time, 1.0);
            d_cos.push_back(float(std::cos(turn)));
            d_sin.push_back(float(std::sin(turn)));
        }
    d_re.resize(d_size);
    d_im.resize(d_size);
    d_rows.resize(size_t(layout.n_users) * d_size);
}

int periodogram::first_within(double largest) const
{
    return std::max(d_size / 2 - int(largest / d_step) - 1, 0);
}

void periodogram::scan(const gr_complex* values, const std::vector<int>& group_sizes, int first)
{
    const int count = d_size - 2 * first, users = d_layout.n_users, n = d_layout.size();
    std::fill(d_rows.begin(), d_rows.end(), 0.0f);
    for (int s = 0; s < d_layout.n_chains; s++)
        for (int g = 0; g < d_layout.n_groups; g++)
            for (int k = 0; k < users && group_sizes[g] > 0; k++) {
                std::fill_n(d_re.begin(), count, 0.0f);
                std::fill_n(d_im.begin(), count, 0.0f);
                for (int j = 0; j < n; j++) {
                    if (d_layout.groups[j] != g)
                        continue;
                    const gr_complex& x = values[(size_t(s) * n + j) * users + k];
                    const size_t at = size_t(j) * d_size + first;
                    add_turned(x.real(),
                               x.imag(),
                               &d_cos[at],
                               &d_sin[at],
                               d_re.data(),
                               d_im.data(),
                               count);
                }
                add_energy(d_re.data(),
                           d_im.data(),
                           1.0f / group_sizes[g],
                           &d_rows[size_t(k) * d_size + first],
                           count);
            }
}

periodogram::peak periodogram::highest(const float* row, int first) const
{
    const int at = int(std::max_element(row + first + 1, row + d_size - first - 1) - row);
    const double below = row[at - 1], middle = row[at], above = row[at + 1];
    const double x = parabola_vertex(below, middle, above);
    return { frequency(at) + x * d_step, middle - 0.25 * (below - above) * x };
}

double periodogram::refined(const gr_complex* values,
                            const std::vector<int>& group_sizes,
                            int user,
                            double frequency) const
{
    for (double step = d_step / 4; step > d_step / 100; step /= 4) {
        const double below = energy(values, group_sizes, user, frequency - step);
        const double middle = energy(values, group_sizes, user, frequency);
        const double above = energy(values, group_sizes, user, frequency + step);
        frequency += step * parabola_vertex(below, middle, above);
    }
    return frequency;
}

double periodogram::energy(const gr_complex* values,
                           const std::vector<int>& group_sizes,
                           int user,
                           double frequency) const
{
    const int users = d_layout.n_users, n = d_layout.size();
    double total = 0.0;
    for (int g = 0; g < d_layout.n_groups; g++)
        for (int s = 0; s < d_layout.n_chains && group_sizes[g] > 0; s++) {
            gr_complexd sum(0);
            for (int j = 0; j < n; j++)
                if (d_layout.groups[j] == g)
                    sum += gr_complexd(values[(size_t(s) * n + j) * users + user]) *
                           std::polar(
                               1.0, -2 * M_PI * std::remainder(frequency * d_layout.times[j], 1.0));
            total += std::norm(sum) / group_sizes[g];
        }
    return total;
}

} // namespace thzum
} // namespace gr
