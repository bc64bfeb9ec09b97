/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/qa_allocations.h"
#include "channel/uplink_delays.h"
#include "channel/uplink_timeline.h"
#include <gnuradio/thzum/uplink_channel.h>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <random>

using gr::thzum::uplink_channel;
using gr::thzum::uplink_parameters;
using gr::thzum::uplink_schedule;
using gr::thzum::uplink_timeline;

namespace {

std::vector<gr_complex> random_values(size_t count, unsigned seed)
{
    std::mt19937 generator(seed);
    std::vector<gr_complex> values(count);
    for (auto& value : values)
        value = gr_complex(generator() * 0x1p-31f - 1.0f, generator() * 0x1p-31f - 1.0f);
    return values;
}

// 2 realisations of 3 users with 2 paths; 2 subarrays of 2 x 4; 3 combiners.
uplink_parameters small()
{
    uplink_parameters p;
    p.shape = { 2, 2, 4 };
    p.n_realisations = 2;
    p.n_users = 3;
    p.n_paths = 2;
    p.gain = random_values(2 * 3 * 2 * 2, 1);
    p.along_y = random_values(2 * 3 * 2 * 2 * 2, 2);
    p.along_x = random_values(2 * 3 * 2 * 2 * 4, 3);
    for (int i = 0; i < 2 * 3 * 2; i++) {
        p.delay.push_back(i % 3);
        p.doppler.push_back(1e-3 * (i - 5));
    }
    p.delay_taps = 8;
    p.combiners = random_values(3 * 16, 4);
    p.schedule = { { 0, 2, 1 }, { 5, 3, 40 }, 2 };
    p.coherence_samples = 77;
    p.noise_var = 0.0;
    p.h_interval = 0;
    p.h_offset = 0;
    p.seed = 1;
    p.sample_rate = 1e9;
    return p;
}

// The channel by its definition, for delays of whole samples.
gr_complex expected_sample(
    const uplink_parameters& p, const std::vector<gr_complex>& x, int count, int s, int t)
{
    const int block = t / int(p.coherence_samples), b = block % p.n_realisations;
    const int age = t - block * int(p.coherence_samples);
    const int phase = ((t - 2) % 48 + 48) % 48, entry = phase < 5 ? 0 : phase < 8 ? 2 : 1;
    std::complex<double> sum = 0.0;
    for (int k = 0; k < p.n_users; k++)
        for (int l = 0; l < p.n_paths; l++) {
            const size_t path = size_t(b * p.n_users + k) * p.n_paths + l, wave = path * 2 + s;
            std::complex<double> gain = 0.0;
            for (int r = 0; r < 2; r++)
                for (int c = 0; c < 4; c++)
                    gain += std::complex<double>(p.combiners[(entry * 2 + s) * 8 + r * 4 + c]) *
                            std::complex<double>(p.gain[wave] * p.along_y[wave * 2 + r] *
                                                 p.along_x[wave * 4 + c]);
            const int at = t - int(p.delay[path]);
            if (at >= 0)
                sum += gain * std::polar(1.0, 2 * M_PI * p.doppler[path] * age) *
                       std::complex<double>(x[size_t(k) * count + at]);
        }
    return gr_complex(sum);
}

struct pointers {
    pointers(const std::vector<gr_complex>& samples, int rows)
    {
        for (int row = 0; row < rows; row++)
            in.push_back(samples.data() + row * (samples.size() / rows));
    }
    std::vector<const gr_complex*> in;
};

std::vector<gr_complex*> rows_of(std::vector<gr_complex>& samples, int rows)
{
    std::vector<gr_complex*> out;
    for (int row = 0; row < rows; row++)
        out.push_back(samples.data() + row * (samples.size() / rows));
    return out;
}

} // namespace

BOOST_AUTO_TEST_CASE(samples_are_those_of_the_definition)
{
    const auto p = small();
    const int count = 600;
    const auto channel = uplink_channel::make(p);
    const auto x = random_values(3 * count, 9);
    std::vector<gr_complex> y(2 * count);
    const auto done =
        channel->process(pointers(x, 3).in.data(), count, rows_of(y, 2).data(), count);
    BOOST_TEST(done.consumed == count);
    BOOST_TEST(done.produced == count);
    BOOST_TEST(channel->latency() == 3);
    for (int s = 0; s < 2; s++)
        for (int t = 0; t < count - 3; t++)
            BOOST_TEST(std::abs(y[s * count + t + 3] - expected_sample(p, x, count, s, t)) < 1e-4);
}

BOOST_AUTO_TEST_CASE(running_allocates_nothing)
{
    auto p = small();
    p.noise_var = 0.5;
    p.hardware = { { "phase_noise", true },      { "phase_noise_k2", 10.0 },
                   { "sampling_offset", true },  { "sampling_offset_ppm", 20.0 },
                   { "power_amplifier", true },  { "adc", true },
                   { "user_phase_noise", true }, { "user_phase_noise_k0", 1e-13 } };
    const auto channel = uplink_channel::make(p);
    const auto x = random_values(3 * 1000, 9);
    std::vector<gr_complex> y(2 * 1200), h(16);
    const pointers in(x, 3);
    const auto out = rows_of(y, 2);
    const long before = allocations;
    for (int i = 0; i < 5; i++)
        channel->process(in.in.data(), 1000, out.data(), 1200);
    channel->true_channel(123, 2, h.data());
    BOOST_CHECK_EQUAL(allocations, before);
}

BOOST_AUTO_TEST_CASE(room_limits_what_is_taken)
{
    auto p = small();
    p.hardware = { { "sampling_offset", true }, { "sampling_offset_ppm", 50000.0 } };
    for (const bool resampled : { false, true }) {
        if (!resampled)
            p.hardware.clear();
        const auto channel = uplink_channel::make(p);
        const auto x = random_values(3 * 1000, 9);
        std::vector<gr_complex> y(2 * 100);
        const auto done =
            channel->process(pointers(x, 3).in.data(), 1000, rows_of(y, 2).data(), 100);
        BOOST_TEST(done.produced <= 100);
        BOOST_TEST(done.consumed > 50);
        BOOST_TEST(done.consumed < 200);
        BOOST_TEST(channel->time() == done.consumed - channel->latency());
    }
}

BOOST_AUTO_TEST_CASE(true_channels_are_due_at_realisations_or_intervals)
{
    constexpr int64_t never = std::numeric_limits<int64_t>::max();
    auto p = small();
    const auto next = [&](int64_t sample) {
        return uplink_channel::make(p)->next_channel_sample(sample);
    };
    BOOST_TEST(next(-3) == 0);
    BOOST_TEST(next(0) == 0);
    BOOST_TEST(next(1) == 77);
    BOOST_TEST(next(77) == 77);
    p.coherence_samples = 0;
    BOOST_TEST(next(0) == 0);
    BOOST_TEST(next(1) == never);
    p.h_interval = 10;
    p.h_offset = 4;
    BOOST_TEST(next(-3) == 4);
    BOOST_TEST(next(5) == 14);
}

BOOST_AUTO_TEST_CASE(timeline_repeats_both_ways_and_changes_at_the_sample)
{
    uplink_timeline timeline({ { 0, 1 }, { 2, 3 }, 0 }, 3);
    BOOST_TEST(timeline.at(-1).entry == 1);
    BOOST_TEST(timeline.at(-1).end == 0);
    BOOST_TEST(timeline.at(0).entry == 0);
    BOOST_TEST(timeline.at(0).end == 2);
    BOOST_TEST(timeline.at(13).end == 15);
    timeline.set({ { 2 }, { 1 }, 0 }, 14, 3);
    BOOST_TEST(timeline.at(13).end == 14);
    BOOST_TEST(timeline.at(14).entry == 2);
    BOOST_TEST(timeline.at(14).end == std::numeric_limits<int64_t>::max());
    timeline.set({ { 1 }, { 1 }, 0 }, 10, 3); // what was to come at 14 is dropped
    BOOST_TEST(timeline.at(9).entry == 1);
    BOOST_TEST(timeline.at(9).end == 10);
    BOOST_TEST(timeline.at(20).entry == 1);
    timeline.set({ { 0 }, { 1 }, 0 }, 5, 30); // too late: from now on
    BOOST_TEST(timeline.at(30).entry == 0);
    BOOST_CHECK_THROW(timeline.set({ { 3 }, { 1 }, 0 }, 40, 31), std::invalid_argument);
    BOOST_CHECK_THROW(timeline.set({ { 0 }, { 0 }, 0 }, 40, 31), std::invalid_argument);
    BOOST_CHECK_THROW(timeline.set({ {}, {}, 0 }, 40, 31), std::invalid_argument);
    BOOST_TEST(timeline.at(50).entry == 0);
}

BOOST_AUTO_TEST_CASE(delay_filters_delay)
{
    float weights[32];
    for (const int taps : { 4, 16, 32 }) {
        gr::thzum::delay_filter(0.0, taps, weights);
        for (int j = 0; j < taps; j++)
            BOOST_TEST(weights[j] == (j == taps / 2 - 1 ? 1.0f : 0.0f));
    }
    gr::thzum::delay_filter(0.3, 24, weights);
    for (const double f : { 0.0, 0.1, -0.37 }) {
        std::complex<double> response = 0.0;
        for (int j = 0; j < 24; j++)
            response += double(weights[j]) * std::polar(1.0, -2 * M_PI * f * (j - 11));
        BOOST_TEST(std::abs(response - std::polar(1.0, -2 * M_PI * f * 0.3)) < 6e-5);
    }
}

BOOST_AUTO_TEST_CASE(errors_name_the_parameter)
{
    const auto refused = [](auto change, const std::string& name) {
        auto p = small();
        change(p);
        BOOST_CHECK_EXCEPTION(
            uplink_channel::make(p), std::invalid_argument, [&](const auto& error) {
                return std::string(error.what()).find(name) != std::string::npos;
            });
    };
    refused([](auto& p) { p.gain.pop_back(); }, "gain");
    refused([](auto& p) { p.along_x.pop_back(); }, "along_x");
    refused([](auto& p) { p.along_y.pop_back(); }, "along_y");
    refused([](auto& p) { p.combiners.pop_back(); }, "combiners");
    refused([](auto& p) { p.combiners.clear(); }, "combiners");
    refused([](auto& p) { p.delay[1] = -1; }, "delay");
    refused([](auto& p) { p.delay[1] = 1e9; }, "delay");
    refused([](auto& p) { p.delay[1] = std::nan(""); }, "delay");
    refused([](auto& p) { p.doppler[1] = 0.7; }, "doppler");
    refused([](auto& p) { p.delay_taps = 7; }, "delay_taps");
    refused([](auto& p) { p.delay_taps = 34; }, "delay_taps");
    refused([](auto& p) { p.n_users = 0; }, "n_users");
    refused([](auto& p) { p.coherence_samples = -1; }, "coherence_samples");
    refused([](auto& p) { p.noise_var = -1; }, "noise_var");
    refused([](auto& p) { p.schedule.entries[0] = 3; }, "schedule");
    refused([](auto& p) { p.sample_rate = 0; }, "sample_rate");
    refused([](auto& p) { p.hardware = { { "adc_bits", 40.0 } }; }, "adc_bits");
}
