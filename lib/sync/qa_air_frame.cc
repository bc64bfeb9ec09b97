/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "sync/frame_shaper.h"
#include "sync/phase_tracker.h"
#include "sync/pulse.h"
#include <gnuradio/thzum/frame_synchronizer.h>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <numeric>
#include <random>
#include <set>
#include <stdexcept>

using namespace gr::thzum;

namespace {

air_frame_parameters small_frame()
{
    air_frame_parameters p{};
    p.n_noise = 32;
    p.n_slots = 20;
    p.n_users = 2;
    p.n_data = 100;
    p.sequences = { 1, 1, 1, -1 };
    p.samples_per_symbol = 2;
    p.rolloff = 0.5;
    p.span = 4;
    p.guard = 4;
    p.preamble_segments = 8;
    p.segment_parts = 4;
    p.part_length = 16;
    p.reference_interval = 8;
    p.reference_beams = 2;
    p.data_reference_interval = 30;
    return p;
}

std::mt19937 generator(7);

gr_complex noise(double variance)
{
    static std::normal_distribution<float> normal;
    const float scale = float(std::sqrt(variance / 2));
    return { scale * normal(generator), scale * normal(generator) };
}

} // namespace

BOOST_AUTO_TEST_CASE(blocks_do_not_overlap_and_leave_guards)
{
    const auto frame = air_frame::make(small_frame());
    int end = 2 - 4; // half a pulse instead of a guard
    for (const auto& each : frame->blocks()) {
        BOOST_CHECK_EQUAL(each.first, end + 4);
        end = each.first + each.length;
    }
    BOOST_CHECK_EQUAL(frame->n_symbols(), end + 2);
    // 8 segments, noise, 20 slots, references before slots 0, 8, 16 and behind the last, data.
    BOOST_CHECK_EQUAL(frame->blocks().size(), 8u + 1 + 20 + 4 + 1);
    // Rows of pilot chips before the data, after 30, 60, 90 and all of them.
    BOOST_CHECK_EQUAL(frame->references().size(), 4u + 5);
    BOOST_CHECK_EQUAL(frame->blocks().back().length, 100 + 5 * 2);
}

BOOST_AUTO_TEST_CASE(every_symbol_has_one_use)
{
    const auto frame = air_frame::make(small_frame());
    std::set<int> used(frame->received_symbols().begin(), frame->received_symbols().end());
    BOOST_CHECK_EQUAL(used.size(), size_t(frame->n_received()));
    BOOST_CHECK_EQUAL(frame->n_received(), 32 + 20 * 2 + 100);
    for (const auto& each : frame->references())
        for (int p = 0; p < 2; p++)
            BOOST_CHECK(used.insert(each.first + p).second);
    std::vector<gr_complex> symbols(frame->n_symbols());
    frame->put_known_symbols(1, symbols.data());
    int sent = 0;
    for (const auto& x : symbols)
        sent += x != gr_complex(0);
    BOOST_CHECK_EQUAL(sent, 8 * 64 + (20 + 9) * 2);
}

BOOST_AUTO_TEST_CASE(the_combiner_changes_in_the_middle_of_guards)
{
    const auto frame = air_frame::make(small_frame());
    std::vector<int> entries;
    std::vector<int64_t> lengths;
    frame->schedule(entries, lengths);
    BOOST_CHECK_EQUAL(std::accumulate(lengths.begin(), lengths.end(), int64_t(0)),
                      frame->n_samples());
    int64_t edge = 0;
    for (size_t i = 0; i + 1 < frame->blocks().size(); i++) {
        edge += lengths[i];
        const auto& block = frame->blocks()[i];
        // Half a pulse, 2 symbols, fits on either side.
        BOOST_CHECK_GT(edge, 2 * (block.first + block.length - 1 + 2));
        BOOST_CHECK_LE(edge, 2 * (frame->blocks()[i + 1].first - 2));
        BOOST_CHECK_EQUAL(entries[i], block.entry);
    }
    BOOST_CHECK_EQUAL(entries.back(), 20);
}

BOOST_AUTO_TEST_CASE(shaping_and_matched_filter_are_free_of_interference)
{
    const auto frame = air_frame::make(small_frame());
    frame_shaper shaper(frame);
    std::vector<gr_complex> data(100), samples(frame->n_samples() + 64);
    for (size_t i = 0; i < data.size(); i++)
        data[i] = std::polar(1.0f, float(i * i));
    shaper.shape(0, data.data(), samples.data() + 32);
    const pulse_bank pulse(0.5, 4, 2);
    double error = 0.0;
    for (int i = 0; i < 100; i++)
        error += std::norm(pulse.at(samples.data() + 32, 2.0 * frame->data_symbol(i)) - data[i]);
    BOOST_CHECK_LT(10 * std::log10(error / 100), -35.0);
}

BOOST_AUTO_TEST_CASE(the_tracker_finds_frequency_and_walk)
{
    const auto frame = air_frame::make(small_frame());
    const int chains = 3, chips = 2, n = int(frame->references().size());
    phase_tracker tracker(frame, chains, false);
    const double frequency = 0.7 * tracker.max_frequency(), variance = 1e-3;
    for (double walk : { 0.0, 2e-3 }) {
        std::vector<gr_complex> gains(chains * 3), values;
        for (auto& gain : gains)
            gain = noise(1.0);
        std::vector<double> phases;
        double phase = 0.0, last = 0.0;
        for (const auto& each : frame->references()) {
            phase += std::sqrt(walk * (each.first - last)) * noise(2.0).real();
            last = each.first;
            phases.push_back(2 * M_PI * frequency * (each.first + 0.5) + phase);
        }
        for (int s = 0; s < chains; s++)
            for (int j = 0; j < n; j++)
                for (int p = 0; p < chips; p++)
                    values.push_back(gains[s * 3 + frame->references()[j].group] *
                                         gr_complex(std::polar(1.0, phases[j])) +
                                     noise(variance));
        const std::vector<double> noise_var(chains, variance);
        tracker.run(values.data(), noise_var.data());
        if (walk == 0.0) {
            // 1 / sqrt(2 SNR sum (t - mean)^2) = 6e-5 rad, 1e-5 cycles, at gains of one; five times
            // that.
            BOOST_CHECK_SMALL(tracker.frequency() - frequency, 5e-5);
            BOOST_CHECK_EQUAL(tracker.phase_rms(), 0.0);
            continue;
        }
        // References of one group are followed to the noise; groups may differ by a constant.
        double mean = 0.0, square = 0.0;
        int count = 0;
        for (int j = 0; j < n; j++)
            if (frame->references()[j].group == 2) {
                const double at = frame->references()[j].first + 0.5;
                const double off = std::remainder(tracker.phase(1, at) - phases[j], 2 * M_PI);
                mean += off;
                square += off * off;
                count++;
            }
        mean /= count;
        BOOST_CHECK_LT(square / count - mean * mean, 0.02);
        BOOST_CHECK_GT(tracker.phase_rms(), 0.05);
    }
}

BOOST_AUTO_TEST_CASE(frames_come_back_from_a_stream)
{
    const auto frame = air_frame::make(small_frame());
    frame_shaper shaper(frame);
    const int n = frame->n_samples(), n_frames = 5, lead = 333;
    std::vector<std::vector<gr_complex>> streams(2, std::vector<gr_complex>(lead + n * n_frames));
    std::vector<gr_complex> data(100, 1.0f), samples(n);
    shaper.shape(0, data.data(), samples.data());
    for (int s = 0; s < 2; s++)
        for (size_t t = 0; t < streams[s].size(); t++) {
            const gr_complex turn(std::polar(1.0, 2 * M_PI * (0.08 * double(t) + 0.2 * s)));
            const gr_complex x = t < size_t(lead) ? gr_complex(0) : samples[(t - lead) % n];
            streams[s][t] = x * turn + noise(0.05);
        }
    synchronizer_settings settings{};
    settings.n_chains = 2;
    const auto sync = frame_synchronizer::make(frame, settings);
    int found = 0, at = 0;
    const int size = int(streams[0].size());
    while (true) {
        const gr_complex* rows[] = { &streams[0][0] + at, &streams[1][0] + at };
        at += sync->push(rows, size - at);
        if (!sync->has_frame())
            break;
        const auto& got = sync->frame();
        BOOST_CHECK_EQUAL(got.number, found);
        BOOST_CHECK_SMALL(got.instant - lead - double(n) * found, 0.1);
        BOOST_CHECK_SMALL(got.frequency - 0.16, 1e-4);
        gr_complex sum(0);
        for (int i = 0; i < 100; i++)
            sum += got.symbols[frame->n_received() - 100 + i];
        BOOST_CHECK_CLOSE(std::abs(sum) / 100, 1.0, 5.0);
        found++;
        sync->release();
    }
    BOOST_CHECK_EQUAL(found, n_frames);
    BOOST_CHECK_EQUAL(sync->missed() + sync->cut_short(), 0u);
}

BOOST_AUTO_TEST_CASE(wrong_parameters_are_refused)
{
    const auto refused = [](auto change) {
        auto parameters = small_frame();
        change(parameters);
        BOOST_CHECK_THROW(air_frame::make(parameters), std::invalid_argument);
    };
    refused([](auto& p) { p.samples_per_symbol = 1; });
    refused([](auto& p) { p.rolloff = 0.0; });
    refused([](auto& p) { p.rolloff = NAN; });
    refused([](auto& p) { p.span = 3; });
    refused([](auto& p) { p.segment_parts = 1; });
    refused([](auto& p) { p.sequences.pop_back(); });
    refused([](auto& p) { p.sequences[1] = 2.0f; });
    refused([](auto& p) { p.n_users = 3; });
    refused([](auto& p) { p.reference_beams = 0; });
}
