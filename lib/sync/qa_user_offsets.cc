/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "sync/phase_tracker.h"
#include "sync/qa_user_frames.h"
#include "sync/user_turner.h"
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>

using namespace gr::thzum;

namespace {

constexpr int chains = 3, users = 4;

std::mt19937 generator(11);

gr_complex noise(double variance)
{
    static std::normal_distribution<float> normal;
    const float scale = float(std::sqrt(variance / 2));
    return { scale * normal(generator), scale * normal(generator) };
}

double uniform(double largest)
{
    return std::uniform_real_distribution<double>(-largest, largest)(generator);
}

/*! References as a receiver has them, with a phase of its own for every user. */
struct scenario {
    explicit scenario(air_frame::sptr frame)
        : frame(frame), layout(*frame, chains), gains(size_t(chains) * layout.n_groups * users)
    {
        for (auto& gain : gains)
            gain = noise(1.0);
    }

    gr_complex gain(int s, int g, int k) const
    {
        return gains[(size_t(s) * layout.n_groups + g) * users + k];
    }

    template <class Phase>
    std::vector<gr_complex> references(double variance, Phase phase) const
    {
        const auto& sequences = frame->parameters().sequences;
        std::vector<gr_complex> values;
        for (int s = 0; s < chains; s++)
            for (int j = 0; j < layout.size(); j++)
                for (int p = 0; p < users; p++) {
                    gr_complex sum = noise(variance);
                    for (int k = 0; k < users; k++)
                        sum += gain(s, layout.groups[j], k) * sequences[k * users + p] *
                               gr_complex(std::polar(1.0, phase(k, layout.times[j])));
                    values.push_back(sum);
                }
        return values;
    }

    /*! Cramer-Rao bound of a user's frequency, with all gains unknown. */
    double bound(int k, double variance) const
    {
        double information = 0.0;
        for (int g = 0; g < layout.n_groups; g++) {
            double n = 0, mean = 0, square = 0, energy = 0;
            for (int j = 0; j < layout.size(); j++)
                if (layout.groups[j] == g) {
                    n++;
                    mean += layout.times[j];
                    square += layout.times[j] * layout.times[j];
                }
            for (int s = 0; s < chains; s++)
                energy += std::norm(gain(s, g, k));
            information += energy * users / variance * (square - mean * mean / n);
        }
        return 1.0 / (2 * std::pow(2 * M_PI, 2) * information);
    }

    air_frame::sptr frame;
    reference_layout layout;
    std::vector<gr_complex> gains;
};

std::vector<double> variances(double variance) { return std::vector<double>(chains, variance); }

} // namespace

BOOST_AUTO_TEST_CASE(own_frequencies_are_unbiased_and_reach_the_bound)
{
    const auto frame = frame_of_users(users);
    phase_tracker tracker(frame, chains, false, 2e-3);
    const int trials = 300;
    for (const double variance : { 0.4, 0.01 }) {
        double sum = 0.0, squares = 0.0;
        for (int trial = 0; trial < trials; trial++) {
            const scenario given(frame);
            std::vector<double> own(users);
            for (int k = 0; k < users; k++)
                own[k] = 4e-4 * (k - 1.5) + uniform(2e-4);
            const auto values = given.references(
                variance, [&](int k, double time) { return 2 * M_PI * own[k] * time; });
            tracker.run(values.data(), variances(variance).data());
            BOOST_REQUIRE(tracker.has_user_phases());
            for (int k = 0; k < users; k++) {
                const double error = tracker.frequency() + tracker.user_frequency()[k] - own[k];
                sum += error / std::sqrt(given.bound(k, variance));
                squares += error * error / given.bound(k, variance);
            }
        }
        // Of n normal values the mean varies by 1 / sqrt(n), that of the squares by sqrt(2 / n):
        // five deviations; a tenth more for the bound's being asymptotic.
        const double n = double(trials) * users;
        BOOST_CHECK_SMALL(sum / n, 5 / std::sqrt(n));
        BOOST_CHECK_GT(squares / n, 1.0 - 5 * std::sqrt(2 / n));
        BOOST_CHECK_LT(squares / n, 1.1 + 5 * std::sqrt(2 / n));
    }
}

BOOST_AUTO_TEST_CASE(users_who_share_an_offset_have_none_of_their_own)
{
    const auto frame = frame_of_users(users);
    phase_tracker tracker(frame, chains, false, 1e-3);
    const int trials = 1000;
    for (const double variance : { 4.0, 0.04 }) {
        int found = 0;
        for (int trial = 0; trial < trials; trial++) {
            const scenario given(frame);
            const double frequency = uniform(1e-3);
            const auto values = given.references(
                variance, [&](int, double time) { return 2 * M_PI * frequency * time; });
            tracker.run(values.data(), variances(variance).data());
            found += tracker.has_user_phases();
        }
        // Three in 1000 at most, for frequencies and walks: five deviations of a Poisson count
        // of 3.
        BOOST_CHECK_LE(found, 12);
    }
}

BOOST_AUTO_TEST_CASE(absent_users_have_no_offset_and_do_not_spoil_the_others)
{
    const auto frame = frame_of_users(users);
    phase_tracker tracker(frame, chains, false, 1e-3);
    const std::vector<double> own = { 3e-4, 0, -3e-4, 0 };
    for (const int64_t mask : { int64_t(-1), int64_t(0b0101) }) {
        int wrong = 0;
        for (int trial = 0; trial < 200; trial++) {
            scenario given(frame);
            for (size_t i = 0; i < given.gains.size(); i++)
                if (i % 2)
                    given.gains[i] = 0;
            const double variance = 0.05;
            const auto values = given.references(
                variance, [&](int k, double time) { return 2 * M_PI * own[k] * time; });
            tracker.run(values.data(), variances(variance).data(), mask);
            BOOST_REQUIRE(tracker.has_user_phases());
            for (const int k : { 0, 2 })
                BOOST_CHECK_SMALL(tracker.frequency() + tracker.user_frequency()[k] - own[k],
                                  6 * std::sqrt(given.bound(k, variance)));
            for (const int k : { 1, 3 })
                wrong += tracker.user_frequency()[k] != 0.0;
        }
        // With the mask never; without, noise is taken for a user once in 1e4 or less.
        BOOST_CHECK_LE(wrong, mask == -1 ? 2 : 0);
    }
}

BOOST_AUTO_TEST_CASE(one_user_alone_has_the_common_frequency)
{
    const auto frame = frame_of_users(users);
    phase_tracker tracker(frame, chains, false, 1e-3);
    const scenario given(frame);
    const auto values =
        given.references(0.1, [](int k, double time) { return k == 2 ? 4e-3 * time : 0.0; });
    tracker.run(values.data(), variances(0.1).data(), 0b0100);
    BOOST_CHECK(!tracker.has_user_phases());
    BOOST_CHECK_SMALL(tracker.frequency() - 4e-3 / (2 * M_PI), 1e-4);
    tracker.run(values.data(), variances(0.1).data(), 0);
    BOOST_CHECK_EQUAL(tracker.frequency(), 0.0);
}

BOOST_AUTO_TEST_CASE(lost_references_are_left_out)
{
    const auto frame = frame_of_users(users);
    phase_tracker tracker(frame, chains, false, 1e-3);
    const scenario given(frame);
    auto values = given.references(0.02, [](int k, double time) { return 1e-3 * k * time; });
    const size_t n = given.layout.size();
    for (const size_t lost : { size_t(3), size_t(4), n - 1 })
        for (int s = 0; s < chains; s++)
            std::fill_n(&values[(s * n + lost) * users], users, gr_complex(0));
    tracker.run(values.data(), variances(0.02).data());
    for (int k = 0; k < users; k++)
        BOOST_CHECK_SMALL(tracker.frequency() + tracker.user_frequency()[k] - 1e-3 * k / (2 * M_PI),
                          8 * std::sqrt(given.bound(k, 0.02)));
    BOOST_CHECK_SMALL(tracker.phase_rms(), 0.05);
    std::fill(values.begin(), values.end(), gr_complex(0));
    tracker.run(values.data(), variances(0.02).data());
    BOOST_CHECK(!tracker.has_user_phases());
    BOOST_CHECK_EQUAL(tracker.phase(0, 100.0), 0.0);
}

BOOST_AUTO_TEST_CASE(phase_noise_of_users_is_followed_for_each)
{
    const auto frame = frame_of_users(users);
    phase_tracker tracker(frame, chains, false, 1e-3), common(frame, chains, false, 0.0);
    const scenario given(frame);
    // A turn and back over the frame, in opposite directions.
    const auto sway = [&](int k, double time) {
        return (k % 2 ? 1.0 : -1.0) * std::sin(2 * M_PI * time / given.layout.times.back());
    };
    const auto values = given.references(0.01, sway);
    double rms[2] = { 0, 0 };
    for (auto* each : { &tracker, &common }) {
        each->run(values.data(), variances(0.01).data());
        const int last = given.layout.size() - 1;
        // Neighbours of one group, since groups may differ by a constant.
        for (int k = 0; k < users; k++)
            for (int j = 0; j + 2 <= last; j++) {
                if (given.layout.groups[j] != given.layout.groups[j + 2])
                    continue;
                const auto residual = [&](double time) {
                    return sway(k, time) - each->phase(0, time) - each->user_phase(k, time, 0.0);
                };
                rms[each == &common] += std::pow(
                    residual(given.layout.times[j + 2]) - residual(given.layout.times[j]), 2);
            }
    }
    BOOST_CHECK_LT(rms[0], 0.1 * rms[1]);
}

BOOST_AUTO_TEST_CASE(slots_lose_the_users_phases_even_within)
{
    const auto frame = frame_of_users(users);
    const auto& sequences = frame->parameters().sequences;
    const std::vector<double> own = { 2e-2, -1e-2, 5e-3, 0 };
    user_turner turner(*frame);
    turner.set_frequency(own);
    std::vector<gr_complex> chips(users), wanted(users), factors(users);
    for (int k = 0; k < users; k++) {
        const gr_complex amplitude = noise(1.0);
        const double phase = uniform(3.0);
        factors[k] = gr_complex(std::polar(1.0, -phase));
        for (int p = 0; p < users; p++) {
            wanted[p] += amplitude * sequences[k * users + p];
            chips[p] += amplitude * sequences[k * users + p] *
                        gr_complex(std::polar(1.0, phase + 2 * M_PI * own[k] * (p - 1.5)));
        }
    }
    turner.run(factors.data(), chips.data());
    for (int p = 0; p < users; p++)
        BOOST_CHECK_SMALL(std::abs(chips[p] - wanted[p]), 1e-5f);
}

BOOST_AUTO_TEST_CASE(the_range_is_what_the_references_allow)
{
    const auto frame = frame_of_users(users);
    // Every 8 slots of 4 chips and 4 guards, and 2 beams in turn: 144 symbols.
    const double allowed = 0.4 / 144;
    BOOST_CHECK_CLOSE(
        phase_tracker(frame, chains, false, 0.05).max_user_frequency(), allowed, 1e-6);
    BOOST_CHECK_CLOSE(phase_tracker(frame, chains, false, 1e-3).max_user_frequency(), 1e-3, 1e-6);
    BOOST_CHECK_EQUAL(phase_tracker(frame, chains, false, 0.0).max_user_frequency(), 0.0);
    const scenario given(frame);
    phase_tracker tracker(frame, chains, false, 0.05);
    const double far = 0.9 * allowed;
    const auto values = given.references(
        0.01, [&](int k, double time) { return k == 1 ? 2 * M_PI * far * time : 0.0; });
    tracker.run(values.data(), variances(0.01).data());
    BOOST_CHECK_SMALL(tracker.frequency() + tracker.user_frequency()[1] - far, 1e-5);
    BOOST_CHECK_SMALL(tracker.frequency() + tracker.user_frequency()[0], 1e-5);
    auto parameters = frame->parameters();
    parameters.reference_interval = parameters.data_reference_interval = 0;
    phase_tracker blind(air_frame::make(parameters), chains, false, 1e-3);
    blind.run(nullptr, variances(0.01).data());
    BOOST_CHECK(!blind.has_user_phases());
    BOOST_CHECK_EQUAL(blind.phase(0, 500.0), 0.0);
}
