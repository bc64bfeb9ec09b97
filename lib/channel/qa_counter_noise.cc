/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "channel/counter_noise.h"
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

using namespace gr::thzum;

namespace {

std::vector<float> draw(uint64_t seed, uint64_t substream, uint64_t first, size_t count)
{
    std::vector<float> numbers(count);
    counter_normal(seed, substream, first, count, numbers.data());
    return numbers;
}

double correlation(const std::vector<float>& a, const std::vector<float>& b, size_t lag = 0)
{
    double sum = 0;
    for (size_t i = lag; i < a.size(); i++)
        sum += double(a[i - lag]) * b[i];
    return sum / (a.size() - lag);
}

} // namespace

// The known answers published with the Random123 library.
BOOST_AUTO_TEST_CASE(philox_gives_the_known_answers)
{
    using words = std::array<uint32_t, 4>;
    const uint32_t ones = 0xFFFFFFFF;
    BOOST_TEST((philox4x32({ 0, 0, 0, 0 }, { 0, 0 }) ==
                words{ 0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8 }));
    BOOST_TEST((philox4x32({ ones, ones, ones, ones }, { ones, ones }) ==
                words{ 0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD }));
    BOOST_TEST((philox4x32({ 0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344 },
                           { 0xA4093822, 0x299F31D0 }) ==
                words{ 0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1 }));
}

// tests/data/counter_noise.txt, made by the Python module: seed, substream, first index, numbers.
BOOST_AUTO_TEST_CASE(numbers_are_those_of_the_python_module)
{
    std::ifstream file(THZUM_TEST_DATA "/counter_noise.txt");
    std::string line;
    int lines = 0;
    for (; std::getline(file, line); lines++) {
        std::istringstream in(line);
        uint64_t seed, substream, first;
        in >> seed >> substream >> first;
        std::vector<double> expected;
        for (double value; in >> value;)
            expected.push_back(value);
        BOOST_TEST_REQUIRE(expected.size() == 150u);
        const auto numbers = draw(seed, substream, first, expected.size());
        for (size_t i = 0; i < expected.size(); i++)
            BOOST_TEST(std::abs(numbers[i] - expected[i]) < 2e-6);
    }
    BOOST_TEST(lines == 4);
}

BOOST_AUTO_TEST_CASE(pieces_of_a_sequence_are_the_sequence)
{
    const uint64_t stream = noise_substream(noise_effect::thermal, 3, 1);
    const auto whole = draw(5, stream, 0, 2000);
    for (const size_t piece : { 1u, 7u, 64u, 127u, 128u, 129u, 500u })
        for (size_t at = 0; at + piece <= whole.size(); at += piece) {
            const auto part = draw(5, stream, at, piece);
            BOOST_TEST(std::equal(part.begin(), part.end(), whole.begin() + at));
        }
}

// Bounds are five standard errors; central moments of order 2k of a normal number are (2k - 1)!!.
BOOST_AUTO_TEST_CASE(numbers_are_standard_normal)
{
    const size_t n = 1 << 20;
    const auto z = draw(1, noise_substream(noise_effect::thermal), 0, n);
    double moment[5] = {};
    size_t beyond_3 = 0, beyond_4 = 0;
    for (const float value : z) {
        double power = 1;
        for (int k = 1; k <= 4; k++)
            moment[k] += power *= value;
        beyond_3 += std::abs(value) > 3;
        beyond_4 += std::abs(value) > 4;
    }
    const double root = std::sqrt(double(n));
    BOOST_TEST(std::abs(moment[1] / n) < 5 / root);
    BOOST_TEST(std::abs(moment[2] / n - 1) < 5 * std::sqrt(2.0) / root);
    BOOST_TEST(std::abs(moment[3] / n) < 5 * std::sqrt(15.0) / root);
    BOOST_TEST(std::abs(moment[4] / n - 3) < 5 * std::sqrt(96.0) / root);
    for (const auto& [count, limit] : { std::pair{ beyond_3, 3.0 }, std::pair{ beyond_4, 4.0 } }) {
        const double expected = n * std::erfc(limit / std::sqrt(2.0));
        BOOST_TEST(std::abs(count - expected) < 5 * std::sqrt(expected));
    }
}

BOOST_AUTO_TEST_CASE(numbers_and_sequences_are_uncorrelated)
{
    const size_t n = 1 << 17;
    const double bound = 5 / std::sqrt(double(n));
    const uint64_t stream = noise_substream(noise_effect::phase_walk, 1);
    const auto z = draw(1, stream, 0, n);
    for (const size_t lag : { 1, 2, 15, 16, 17, 32, 64, 128 })
        BOOST_TEST(std::abs(correlation(z, z, lag)) < bound);
    for (const uint64_t other : { noise_substream(noise_effect::phase_walk, 2),
                                  noise_substream(noise_effect::phase_walk, 1, 1),
                                  noise_substream(noise_effect::phase_floor, 1) })
        BOOST_TEST(std::abs(correlation(z, draw(1, other, 0, n))) < bound);
    for (const uint64_t seed : { uint64_t(2), uint64_t(1) << 32 | 1 })
        BOOST_TEST(std::abs(correlation(z, draw(seed, stream, 0, n))) < bound);
}
