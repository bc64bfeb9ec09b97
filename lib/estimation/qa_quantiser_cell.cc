/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/quantiser_cell.h"
#include <boost/test/unit_test.hpp>
#include <algorithm>
#include <cmath>
#include <vector>

using gr::thzum::estimation::cell_posterior;

namespace {

struct moments {
    double mean, variance;
};

// Simpson's rule over the part of the cell that is within 12 deviations of its mode.
moments integrate(double low, double high, double mean, double deviation)
{
    const double mode = std::clamp(mean, low, high);
    const double begin = std::max(low, mode - 12 * deviation),
                 end = std::min(high, mode + 12 * deviation);
    constexpr int intervals = 20000;
    const double width = (end - begin) / intervals;
    double mass = 0.0, first = 0.0, second = 0.0;
    for (int i = 0; i <= intervals; ++i) {
        const double x = begin + i * width;
        const double factor = i == 0 || i == intervals ? 1.0 : i % 2 ? 4.0 : 2.0;
        const double weight =
            factor * std::exp(-0.5 * (x - mean) * (x - mean) / (deviation * deviation) +
                              0.5 * (mode - mean) * (mode - mean) / (deviation * deviation));
        mass += weight;
        first += weight * (x - mode);
        second += weight * (x - mode) * (x - mode);
    }
    const double shift = first / mass;
    return { mode + shift, second / mass - shift * shift };
}

moments posterior(float level, float mean, float deviation, float step, float top)
{
    float out = 0.0f;
    const double variance = cell_posterior(&level, &mean, deviation, step, top, &out, 1);
    return { out, variance };
}

} // namespace

BOOST_AUTO_TEST_CASE(moments_are_those_of_the_truncated_gaussian)
{
    for (const int bits : { 1, 2, 3, 6 })
        for (const double step : { 0.02, 0.5, 1.5, 40.0 })
            for (const double mean : { -9.0, -0.8, 0.0, 0.3, 25.0 })
                for (const double deviation : { 0.05, 1.0, 7.0 })
                    for (int k = -(1 << (bits - 1)); k < 1 << (bits - 1); ++k) {
                        const double top = ((1 << (bits - 1)) - 0.5) * step,
                                     level = (k + 0.5) * step;
                        const bool is_lowest = k == -(1 << (bits - 1)),
                                   is_highest = k == (1 << (bits - 1)) - 1;
                        // Fifty deviations off, a belief in float has no digits left to compare.
                        if (std::abs(level - mean) - step > 50 * deviation)
                            continue;
                        const auto expected = integrate(is_lowest ? -1e9 : level - step / 2,
                                                        is_highest ? 1e9 : level + step / 2,
                                                        mean,
                                                        deviation);
                        const auto given = posterior(level, mean, deviation, step, top);
                        const double spread = std::sqrt(expected.variance);
                        BOOST_TEST_CONTEXT("bits " << bits << " step " << step << " mean " << mean
                                                   << " deviation " << deviation << " k " << k)
                        {
                            // Rounding of the edges in float, beside that of the rule.
                            const double rounding =
                                4e-7 * (std::abs(mean) + std::abs(level) + step);
                            BOOST_CHECK_SMALL(given.mean - expected.mean, 1e-4 * spread + rounding);
                            BOOST_CHECK_SMALL(given.variance / expected.variance - 1,
                                              1e-4 + 4 * rounding * (1 / spread + 1 / deviation));
                        }
                    }
}

BOOST_AUTO_TEST_CASE(signs_of_a_centred_gaussian)
{
    const auto given = posterior(1.0f, 0.0f, 3.0f, 2.0f, 1.0f);
    BOOST_CHECK_CLOSE(given.mean, 3 * std::sqrt(2 / M_PI), 1e-3);
    BOOST_CHECK_CLOSE(given.variance, 9 * (1 - 2 / M_PI), 1e-3);
    BOOST_CHECK_CLOSE(posterior(-1.0f, 0.0f, 3.0f, 2.0f, 1.0f).mean, -given.mean, 1e-4);
}

BOOST_AUTO_TEST_CASE(a_fine_quantiser_gives_its_level)
{
    const float step = 1e-3f, level = 0.3005f;
    const auto given = posterior(level, 0.0f, 1.0f, step, 100 * step * 64);
    BOOST_CHECK_SMALL(given.mean - level, 1e-6);
    BOOST_CHECK_CLOSE(given.variance, step * step / 12, 0.1);
}

BOOST_AUTO_TEST_CASE(sums_run_over_all_samples)
{
    const std::vector<float> level = { -1.5f, -0.5f, 0.5f, 1.5f, 0.5f },
                             mean = { 0, 1, -2, 0.3f, 0.5f };
    std::vector<float> out(level.size());
    const double sum =
        cell_posterior(level.data(), mean.data(), 0.7f, 1.0f, 1.5f, out.data(), level.size());
    double expected = 0.0;
    for (size_t i = 0; i < level.size(); ++i) {
        const auto one = posterior(level[i], mean[i], 0.7f, 1.0f, 1.5f);
        BOOST_CHECK_CLOSE(out[i], one.mean, 1e-3);
        expected += one.variance;
    }
    BOOST_CHECK_CLOSE(sum, expected, 1e-3);
}
