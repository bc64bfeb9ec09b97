/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detection/constellation.h"
#include <gnuradio/thzum/detector.h>
#include <cmath>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

/*! Amplitude of 3GPP TS 38.211, 5.1.3 to 5.1.6, before normalisation: the first bit is the sign,
 * each further one folds what is left, e.g. (1-2b0)[4-(1-2b2)[2-(1-2b4)]] for 64QAM. */
int folded_amplitude(int bits, int n_bits)
{
    int amplitude = 1;
    for (int i = 0; i < n_bits; i++) {
        const int sign = (bits >> i) & 1 ? -1 : 1;
        const bool is_sign_bit = i == n_bits - 1;
        amplitude = is_sign_bit ? sign * amplitude : (2 << i) - sign * amplitude;
    }
    return amplitude;
}

std::vector<float> axis_levels(int n_bits)
{
    const int n_levels = 1 << n_bits;
    // Mean energy of the odd integers up to n_levels - 1 is (n_levels^2 - 1) / 3; each axis carries
    // half.
    const double scale = std::sqrt(1.5 / (double(n_levels) * n_levels - 1));
    std::vector<float> levels(n_levels);
    for (int bits = 0; bits < n_levels; bits++)
        levels[bits] = static_cast<float>(scale * folded_amplitude(bits, n_bits));
    return levels;
}

constellation make_qam(const std::string& name, int bits_per_axis)
{
    constellation result{ name, 2, bits_per_axis, axis_levels(bits_per_axis), {} };
    for (int index = 0; index < 1 << (2 * bits_per_axis); index++) {
        int i_bits = 0, q_bits = 0;
        for (int b = 2 * bits_per_axis - 1; b > 0; b -= 2) {
            i_bits = 2 * i_bits + ((index >> b) & 1);
            q_bits = 2 * q_bits + ((index >> (b - 1)) & 1);
        }
        result.points.emplace_back(result.levels[i_bits], result.levels[q_bits]);
    }
    return result;
}

constellation make_bpsk()
{
    const float a = std::sqrt(0.5f);
    return { "bpsk", 1, 1, { 1.0f, -1.0f }, { { a, a }, { -a, -a } } };
}

const std::vector<constellation>& all_constellations()
{
    static const std::vector<constellation> all = { make_bpsk(),
                                                    make_qam("qpsk", 1),
                                                    make_qam("16qam", 2),
                                                    make_qam("64qam", 3),
                                                    make_qam("256qam", 4) };
    return all;
}

} // namespace

const constellation& find_constellation(const std::string& name)
{
    std::string known;
    for (const auto& candidate : all_constellations()) {
        if (candidate.name == name)
            return candidate;
        known += " '" + candidate.name + "'";
    }
    throw std::invalid_argument("constellation: expected one of" + known + ", got '" + name + "'");
}

const std::vector<gr_complex>& constellation_points(const std::string& name)
{
    return find_constellation(name).points;
}

std::vector<std::string> constellation_names()
{
    std::vector<std::string> names;
    for (const auto& candidate : all_constellations())
        names.push_back(candidate.name);
    return names;
}

} // namespace thzum
} // namespace gr
