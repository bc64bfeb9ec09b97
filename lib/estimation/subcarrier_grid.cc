/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/subcarrier_grid.h"
#include <cmath>
#include <sstream>
#include <stdexcept>
#include <string>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

constexpr size_t most_subcarriers = 1024;

[[noreturn]] void refuse(const std::string& name, const std::string& expected, double got)
{
    std::ostringstream message;
    message << name << ": expected " << expected << ", got " << got;
    throw std::invalid_argument(message.str());
}

void check(const std::vector<double>& frequencies, double carrier_frequency)
{
    const auto is_frequency = [](double f) { return std::isfinite(f) && f > 0.0; };
    if (!is_frequency(carrier_frequency))
        refuse("carrier_frequency", "a positive number of Hz", carrier_frequency);
    if (frequencies.empty() || frequencies.size() > most_subcarriers)
        refuse("frequencies",
               "from 1 to " + std::to_string(most_subcarriers) + " subcarriers",
               double(frequencies.size()));
    for (const double f : frequencies)
        if (!is_frequency(f))
            refuse("frequencies", "positive numbers of Hz", f);
    const double span = frequencies.back() - frequencies.front();
    if (std::abs(span) > carrier_frequency)
        refuse("frequencies", "a band no wider than the carrier frequency, in Hz", std::abs(span));
    const double step = span / std::max<size_t>(1, frequencies.size() - 1);
    if (frequencies.size() > 1 && step == 0.0)
        refuse("frequencies", "different subcarriers, with a step in Hz", step);
    constexpr double tolerance = 1e-3;
    for (size_t k = 1; k < frequencies.size(); ++k)
        if (std::abs(frequencies[k] - frequencies[k - 1] - step) > tolerance * std::abs(step))
            refuse("frequencies",
                   "equidistant subcarriers (leave a missing one in, with pilots of zero); a step of " +
                       std::to_string(step) + " Hz",
                   frequencies[k] - frequencies[k - 1]);
}

// The phase of a wave at the rim of a subarray moves by up to +-phase over the band, that of the product
// of two by twice as much; J Chebyshev nodes interpolate exp(j 2 phase x) to 2 phase^J / J!.
int enough_nodes(double phase, int most)
{
    constexpr double error = 1e-3;
    double bound = 2.0;
    int nodes = 0;
    while (bound > error && nodes < most)
        bound *= phase / ++nodes;
    return std::max(nodes, 1);
}

} // namespace

subcarrier_grid::subcarrier_grid(const std::vector<double>& frequencies,
                                 double carrier_frequency,
                                 double aperture)
    : count(static_cast<int>(frequencies.size()))
{
    check(frequencies, carrier_frequency);
    const double low = std::min(frequencies.front(), frequencies.back()) / carrier_frequency;
    const double high = std::max(frequencies.front(), frequencies.back()) / carrier_frequency;
    for (int k = 0; k < count; ++k) {
        ratio.push_back(frequencies[k] / carrier_frequency);
        place.push_back((k - 0.5 * (count - 1)) / count);
    }
    nodes = enough_nodes(M_PI * M_SQRT1_2 * aperture * (high - low), count);
    for (int j = 0; j < nodes; ++j)
        node_ratio.push_back(0.5 * (low + high) -
                             0.5 * (high - low) * std::cos(M_PI * (2 * j + 1) / (2.0 * nodes)));
    if (nodes == count)
        node_ratio = ratio;
    for (int k = 0; k < count; ++k)
        for (int j = 0; j < nodes; ++j) {
            double product = 1.0;
            for (int i = 0; i < nodes; ++i)
                if (i != j)
                    product *= (ratio[k] - node_ratio[i]) / (node_ratio[j] - node_ratio[i]);
            weight.push_back(product);
        }
}

} // namespace estimation
} // namespace thzum
} // namespace gr
