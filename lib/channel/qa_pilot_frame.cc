/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "channel/pilot_frame.h"
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <stdexcept>

using gr::thzum::pilot_frame;
using gr::thzum::pilot_frame_layout;

namespace {

std::vector<gr_complex> dft_rows(int users, int chips)
{
    std::vector<gr_complex> rows;
    for (int k = 0; k < users; k++)
        for (int p = 0; p < chips; p++)
            rows.push_back(gr_complex(std::polar(1.0, -2 * M_PI * k * p / chips)));
    return rows;
}

// A received frame of known observations: samples [S][n], y [K][S][Q], data [n_data][S].
struct transmission {
    pilot_frame_layout layout;
    int chips;
    std::vector<std::vector<gr_complex>> samples;
    std::vector<gr_complex> y;
    std::vector<const gr_complex*> pointers;

    transmission(const pilot_frame_layout& frame, int n_chips, double noise_std, unsigned seed)
        : layout(frame), chips(n_chips), samples(frame.n_chains)
    {
        std::mt19937 rng(seed);
        std::normal_distribution<float> normal;
        const auto sequences = dft_rows(frame.n_users, chips);
        const int observations = frame.n_chains * frame.n_slots;
        for (int i = 0; i < frame.n_users * observations; i++)
            y.push_back(gr_complex(normal(rng), normal(rng)));
        const float scale = float(noise_std / std::sqrt(2.0));
        const auto noise = [&] { return scale * gr_complex(normal(rng), normal(rng)); };
        for (int s = 0; s < frame.n_chains; s++) {
            for (int i = 0; i < frame.n_noise; i++)
                samples[s].push_back(noise());
            for (int q = 0; q < frame.n_slots; q++)
                for (int p = 0; p < chips; p++) {
                    gr_complex sum = noise();
                    for (int k = 0; k < frame.n_users; k++)
                        sum +=
                            y[k * observations + s * frame.n_slots + q] * sequences[k * chips + p];
                    samples[s].push_back(sum);
                }
            for (int i = 0; i < frame.n_data; i++)
                samples[s].push_back(gr_complex(s, i));
            pointers.push_back(samples[s].data());
        }
    }
};

bool names(const std::invalid_argument& error, const std::string& argument)
{
    return std::string(error.what()).find(argument) != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_CASE(separates_users_exactly_whatever_the_pieces)
{
    for (const int piece : { 1, 3, 7, 1000 })
        for (const int chips : { 5, 8 }) {
            const transmission sent({ 3, 4, 6, 5, 9 }, chips, 0.0, 7);
            pilot_frame frame(sent.layout, dft_rows(5, chips));
            BOOST_TEST(frame.n_samples() == 4 + 6 * chips + 9);
            int at = 0;
            while (!frame.is_complete())
                at += frame.collect(
                    sent.pointers.data(), at, std::min(piece, frame.n_samples() - at));
            BOOST_TEST(frame.collect(sent.pointers.data(), 0, 5) == 0);
            BOOST_TEST(frame.despread());
            for (int k = 0; k < 5; k++)
                for (int m = 0; m < 18; m++)
                    BOOST_TEST(std::abs(frame.observations(k)[m] - sent.y[k * 18 + m]) < 2e-6);
            for (int i = 0; i < 9; i++)
                for (int s = 0; s < 3; s++)
                    BOOST_TEST(frame.data(i)[s] == gr_complex(s, i));
        }
}

BOOST_AUTO_TEST_CASE(measures_the_noise_in_silence_and_in_unused_sequences)
{
    const double variance = 0.37;
    for (const int chips : { 4, 12 })
        for (const int silent : { 0, 500 }) {
            if (chips == 4 && silent == 0)
                continue;
            const transmission sent({ 4, silent, 32, 4, 0 }, chips, std::sqrt(variance), 11);
            pilot_frame frame(sent.layout, dft_rows(4, chips));
            frame.collect(sent.pointers.data(), 0, frame.n_samples());
            BOOST_TEST(frame.despread());
            // The mean of n squared complex Gaussians has relative deviation 1/sqrt(n).
            const double bound = 4.0 / std::sqrt(double(frame.noise_dimensions()));
            BOOST_TEST(std::abs(frame.sample_noise_var() / variance - 1.0) < bound);
            BOOST_TEST(frame.noise_var() == frame.sample_noise_var() / chips);
        }
}

BOOST_AUTO_TEST_CASE(despreading_divides_the_noise_by_the_chips)
{
    const transmission sent({ 4, 1, 256, 8, 0 }, 8, 0.5, 3);
    pilot_frame frame(sent.layout, {});
    frame.collect(sent.pointers.data(), 0, frame.n_samples());
    BOOST_TEST(frame.despread());
    double error = 0.0;
    for (int i = 0; i < 8 * 1024; i++)
        error += std::norm(frame.observations(0)[i] - sent.y[i]);
    BOOST_TEST(std::abs(error / (8 * 1024) / (0.25 / 8) - 1.0) < 4.0 / std::sqrt(8 * 1024.0));
}

BOOST_AUTO_TEST_CASE(noise_variance_never_reaches_zero)
{
    const pilot_frame_layout layout{ 2, 4, 3, 2, 1 };
    pilot_frame frame(layout, {});
    const std::vector<gr_complex> zeros(frame.n_samples());
    const gr_complex* pointers[] = { zeros.data(), zeros.data() };
    frame.collect(pointers, 0, frame.n_samples());
    BOOST_TEST(frame.despread());
    BOOST_TEST(frame.sample_noise_var() > 0.0);
    BOOST_TEST(float(frame.noise_var()) > 0.0f);

    const transmission clean(layout, 2, 0.0, 5);
    frame.restart();
    frame.collect(clean.pointers.data(), 0, frame.n_samples());
    BOOST_TEST(frame.despread());
    BOOST_TEST(frame.sample_noise_var() <= 1.001e-10 * frame.pilot_power());
    BOOST_TEST(frame.sample_noise_var() > 0.0);
}

BOOST_AUTO_TEST_CASE(bad_samples_void_the_pilots_and_nothing_later)
{
    const float bad_values[] = { std::numeric_limits<float>::quiet_NaN(),
                                 -std::numeric_limits<float>::infinity(),
                                 std::numeric_limits<float>::max() };
    const transmission good({ 2, 4, 3, 2, 4 }, 2, 0.1, 9);
    pilot_frame frame(good.layout, {});
    for (const float bad : bad_values)
        for (int at = 0; at < 10; at++) {
            auto sent = good;
            if (std::isfinite(bad) && at < 4)
                continue; // large but finite: the silent section only reports much noise
            sent.samples[1][at] = sent.samples[1][at ^ 1] = gr_complex(bad, bad);
            sent.pointers = { sent.samples[0].data(), sent.samples[1].data() };
            frame.restart();
            frame.collect(sent.pointers.data(), 0, frame.n_samples());
            if (!std::isfinite(bad))
                BOOST_TEST(!frame.despread());
            else
                frame.despread();
            frame.restart();
            frame.collect(good.pointers.data(), 0, frame.n_samples());
            BOOST_TEST(frame.despread());
            for (int i = 0; i < 6; i++)
                BOOST_TEST(std::isfinite(std::abs(frame.observations(0)[i])));
            BOOST_TEST(frame.data_is_finite(0));
        }
}

BOOST_AUTO_TEST_CASE(a_bad_data_symbol_is_found_alone)
{
    auto sent = transmission({ 2, 4, 3, 2, 4 }, 2, 0.1, 9);
    sent.samples[1][12] = gr_complex(0, std::numeric_limits<float>::quiet_NaN());
    pilot_frame frame(sent.layout, {});
    frame.collect(sent.pointers.data(), 0, frame.n_samples());
    BOOST_TEST(frame.despread());
    for (int i = 0; i < 4; i++)
        BOOST_TEST(frame.data_is_finite(i) == (i != 2));
}

BOOST_AUTO_TEST_CASE(errors_name_the_argument)
{
    const auto build = [](pilot_frame_layout layout, std::vector<gr_complex> sequences) {
        return [=] { pilot_frame(layout, sequences); };
    };
    const auto refused = [](const auto& action, const std::string& argument) {
        BOOST_CHECK_EXCEPTION(action(), std::invalid_argument, [&](const auto& error) {
            return names(error, argument);
        });
    };
    refused(build({ 0, 4, 3, 2, 4 }, {}), "n_chains");
    refused(build({ 2, -1, 3, 2, 4 }, {}), "n_noise");
    refused(build({ 2, 4, 0, 2, 4 }, {}), "n_slots");
    refused(build({ 2, 4, 3, 0, 4 }, {}), "n_users");
    refused(build({ 2, 4, 3, 2, -1 }, {}), "n_data");
    refused(build({ 2, 0, 3, 2, 4 }, {}), "n_noise");
    refused(build({ 4, 4, 1 << 30, 2, 4 }, {}), "n_slots");
    refused(build({ 2, 4, 3, 2, 4 }, dft_rows(1, 3)), "sequences");
    refused(build({ 2, 4, 3, 3, 4 }, dft_rows(2, 3)), "sequences");
    refused(build({ 2, 4, 3, 2, 4 }, { 1, 1, 1, 1 }), "orthogonal");
    refused(build({ 2, 4, 3, 2, 4 }, { 1, 1, 1, -2 }), "magnitude");
    refused(build({ 2, 4, 3, 2, 4 }, { 1, 1, 1, std::nanf("") }), "magnitude");
}
