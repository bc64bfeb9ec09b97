/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "channel/oscillator.h"
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <complex>
#include <functional>

using namespace gr::thzum;

namespace {

// Unwrapped phase in rad of n samples of every row, taken in pieces.
std::vector<std::vector<double>> phases(oscillator_bank& bank, int rows, int n, int piece = 100)
{
    std::vector<std::vector<double>> all(rows);
    sample_block block(rows);
    for (int first = 0; first < n; first += piece) {
        block.count = std::min(piece, n - first);
        for (int row = 0; row < rows; row++) {
            std::fill_n(block.re(row), block.count, 1.0f);
            std::fill_n(block.im(row), block.count, 0.0f);
        }
        bank.apply(block);
        for (int row = 0; row < rows; row++)
            for (int i = 0; i < block.count; i++) {
                auto& phase = all[row];
                const double wrapped = std::atan2(block.im(row)[i], block.re(row)[i]);
                const double before = phase.empty() ? 0.0 : phase.back();
                phase.push_back(before + std::remainder(wrapped - before, 2 * M_PI));
            }
    }
    return all;
}

oscillator_settings settings_of(const std::function<void(oscillator_settings&)>& change)
{
    oscillator_settings settings;
    settings.sample_rate = 1e9;
    change(settings);
    return settings;
}

double mean_square(const std::vector<double>& x)
{
    double sum = 0;
    for (const double value : x)
        sum += value * value;
    return sum / x.size();
}

std::vector<double> steps_of(const std::vector<double>& phase)
{
    std::vector<double> steps(phase.size() - 1);
    for (size_t i = 0; i < steps.size(); i++)
        steps[i] = phase[i + 1] - phase[i];
    return steps;
}

} // namespace

BOOST_AUTO_TEST_CASE(offset_is_an_exact_ramp)
{
    const double offset = 12345.678;
    oscillator_bank bank(settings_of([&](auto& s) {
                             s.offset = { offset };
                             s.phase = 0.3;
                         }),
                         1);
    const auto phase = phases(bank, 1, 1 << 20, 256)[0];
    for (size_t k = 0; k < phase.size(); k += 9973)
        BOOST_TEST(std::abs(phase[k] - (2 * M_PI * offset / 1e9 * k + 0.3)) < 2e-6);
}

BOOST_AUTO_TEST_CASE(every_row_has_its_offset)
{
    oscillator_bank bank(settings_of([](auto& s) { s.offset = { 1e6, -3e6 }; }), 2);
    const auto phase = phases(bank, 2, 1000);
    BOOST_TEST(std::abs(phase[0][999] - 2 * M_PI * 0.999) < 1e-6);
    BOOST_TEST(std::abs(phase[1][999] + 2 * M_PI * 3 * 0.999) < 1e-6);
}

// The floor alone: variance k0 fs, and white, so that it is flat over the band.
BOOST_AUTO_TEST_CASE(floor_is_white_with_variance_k0_times_bandwidth)
{
    const int n = 1 << 17;
    oscillator_bank bank(settings_of([](auto& s) { s.k0 = 1e-11; }), 1);
    const auto phase = phases(bank, 1, n)[0];
    BOOST_TEST(std::abs(mean_square(phase) / 1e-2 - 1) < 5 * std::sqrt(2.0 / n));
    for (const int lag : { 1, 2, 16, 64, 256 }) {
        double sum = 0;
        for (int i = lag; i < n; i++)
            sum += phase[i] * phase[i - lag];
        BOOST_TEST(std::abs(sum / n / 1e-2) < 5 / std::sqrt(double(n)));
    }
}

// A Wiener process: white steps of variance 4 pi^2 k2 / fs, at whatever distance.
BOOST_AUTO_TEST_CASE(walk_has_independent_steps_of_the_given_variance)
{
    const int n = 1 << 17;
    const double variance = 4 * M_PI * M_PI * 1e4 / 1e9;
    oscillator_bank bank(settings_of([](auto& s) { s.k2 = 1e4; }), 1);
    const auto phase = phases(bank, 1, n)[0];
    BOOST_TEST(std::abs(mean_square(steps_of(phase)) / variance - 1) < 5 * std::sqrt(2.0 / n));
    for (const int distance : { 32, 256, 512 }) {
        double sum = 0;
        for (int i = distance; i < n; i += distance)
            sum += std::pow(phase[i] - phase[i - distance], 2);
        const int count = (n - 1) / distance;
        BOOST_TEST(std::abs(sum / count / (distance * variance) - 1) < 5 * std::sqrt(2.0 / count));
    }
}

// Frequency noise 1/f: the variance of the mean frequency over m samples depends on m by a
// logarithm only. E (phase[m] - phase[0])^2 = int S(f) 4 sin^2(pi f m / fs) df, summed here over
// the spectrum.
BOOST_AUTO_TEST_CASE(flicker_follows_k3_over_f_cubed)
{
    const int rows = 64, n = 4096, m = 64;
    const double fs = 1e8, k3 = 1e9, low = 1e5;
    auto settings = settings_of([&](auto& s) {
        s.sample_rate = fs;
        s.k3 = k3;
        s.flicker_low = low;
    });
    oscillator_bank bank(settings, rows);
    // Second differences over m samples see only frequencies around fs / m = 1.6 MHz.
    double sum = 0;
    int count = 0;
    for (const auto& phase : phases(bank, rows, n))
        for (int i = 2 * m; i < n; i += 2 * m, count++)
            sum += std::pow(phase[i] - 2 * phase[i - m] + phase[i - 2 * m], 2);
    double expected = 0;
    const double df = 1e3;
    for (double f = df / 2; f < fs / 2; f += df)
        expected += 2 * df * k3 / (f * f * f) * 16 * std::pow(std::sin(M_PI * f * m / fs), 4);
    // 7 % is the model's; neighbouring second differences are correlated, half of them count.
    BOOST_TEST(std::abs(sum / count / expected - 1) < 0.07 + 5 * std::sqrt(2.0 / (count / 2)));
}

BOOST_AUTO_TEST_CASE(pieces_do_not_matter_and_oscillators_differ_unless_shared)
{
    for (const bool shared : { false, true }) {
        const auto settings = settings_of([&](auto& s) {
            s.k0 = 1e-11;
            s.k2 = 1e4;
            s.k3 = 1e9;
            s.offset = { 1e6 };
            s.shared = shared;
        });
        oscillator_bank one(settings, 2);
        const auto whole = phases(one, 2, 2000, 256);
        for (const int piece : { 1, 15, 16, 100, 255 }) {
            oscillator_bank other(settings, 2);
            BOOST_TEST((phases(other, 2, 2000, piece) == whole));
        }
        BOOST_TEST((whole[0] == whole[1]) == shared);
    }
}

BOOST_AUTO_TEST_CASE(users_have_noise_of_their_own)
{
    const auto noise = [](bool user) {
        oscillator_bank bank(settings_of([&](auto& s) {
                                 s.k0 = 1e-11;
                                 s.is_transmitter = user;
                             }),
                             1);
        return phases(bank, 1, 4096)[0];
    };
    const auto a = noise(false), b = noise(true);
    double sum = 0;
    for (size_t i = 0; i < a.size(); i++)
        sum += a[i] * b[i];
    BOOST_TEST(std::abs(sum / a.size() / 1e-2) < 5 / std::sqrt(4096.0));
}
