/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "channel/hardware_chain.h"
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <complex>

using namespace gr::thzum;

namespace {

std::vector<gr_complex> tone(double cycles, int n)
{
    std::vector<gr_complex> x(n);
    for (int i = 0; i < n; i++)
        x[i] = gr_complex(std::polar(1.0, 2 * M_PI * std::remainder(cycles * i, 1.0)));
    return x;
}

// Runs a stream of one row through the chain in pieces, with a bounded room for its output.
std::vector<gr_complex>
run(receiver_chain& chain, const std::vector<gr_complex>& x, int piece, int room)
{
    std::vector<gr_complex> y, buffer(room);
    for (size_t at = 0; at < x.size();) {
        const gr_complex* in[] = { x.data() + at };
        gr_complex* out[] = { buffer.data() };
        const auto done = chain.process(in, int(std::min<size_t>(piece, x.size() - at)), out, room);
        BOOST_TEST_REQUIRE(done.consumed + done.produced > 0);
        BOOST_TEST_REQUIRE(done.produced <= room);
        y.insert(y.end(), buffer.begin(), buffer.begin() + done.produced);
        at += done.consumed;
    }
    return y;
}

receiver_settings clock_of(double ppm)
{
    receiver_settings settings;
    settings.sampling_offset_ppm = ppm;
    return settings;
}

} // namespace

BOOST_AUTO_TEST_CASE(sampling_offset_interpolates_a_tone)
{
    for (const double ppm : { 0.0, 25.0, -40.0, 2000.0, -50000.0, 100000.0 })
        for (const double cycles : { 0.01, 0.25, -0.4 }) {
            receiver_chain chain(clock_of(ppm), 1);
            const double rate = 1 + 1e-6 * ppm;
            const auto y = run(chain, tone(cycles, 4000), 300, 97);
            // Outputs are due up to the instant whose 24 samples beyond are known.
            BOOST_TEST(std::abs(double(y.size()) - (4000 - 24) * rate) < 2);
            for (size_t m = size_t(24 * rate) + 1; m < y.size(); m++) {
                const double phase = 2 * M_PI * std::remainder(cycles * (m / rate), 1.0);
                BOOST_TEST(std::abs(std::complex<double>(y[m]) - std::polar(1.0, phase)) < 1e-4);
            }
        }
}

BOOST_AUTO_TEST_CASE(pieces_and_room_do_not_matter)
{
    receiver_settings settings = clock_of(-300.0);
    settings.low_noise_amplifier = amplifier_settings{ 2.0, 1.5 };
    settings.oscillator.sample_rate = 1e9;
    settings.oscillator.offset = { 1e6 };
    settings.oscillator.k0 = 1e-11;
    settings.oscillator.k2 = 1e3;
    settings.iq_imbalance = iq_settings{ 0.5, 3.0 };
    settings.converter = adc_settings{ 5, 0.0, 1.0, 100.0 };
    const auto x = tone(0.013, 3000);
    for (const bool clock : { true, false }) {
        if (!clock)
            settings.sampling_offset_ppm.reset();
        receiver_chain reference(settings, 1);
        const auto whole = run(reference, x, 3000, 5000);
        for (const auto& [piece, room] :
             { std::pair{ 1, 8 }, std::pair{ 17, 500 }, std::pair{ 999, 31 } }) {
            receiver_chain chain(settings, 1);
            BOOST_TEST((run(chain, x, piece, room) == whole));
        }
    }
}

BOOST_AUTO_TEST_CASE(transmitter_applies_offset_and_amplifier)
{
    option_map options{ { "user_frequency_offset", true },
                        { "user_frequency_offset_hz", std::vector<gr_complex>{ 1e6f, 0.0f } },
                        { "power_amplifier", true },
                        { "pa_smoothness", 1.0 },
                        { "pa_input_backoff_db", 0.0 },
                        { "pa_input_power", 4.0 } };
    const option_reader reader({ "transmitter", "", transmitter_options() }, options);
    transmitter_chain chain(read_transmitter(reader, 1e9, 2), 2);
    sample_block block(2);
    block.count = 200;
    std::fill_n(block.re(0), 200, 2.0f);
    std::fill_n(block.re(1), 200, 2.0f);
    chain.apply(block);
    for (int i = 0; i < 200; i++) {
        // At the saturation amplitude 2 a smoothness of 1 compresses by 3 dB.
        const auto y = std::polar(std::sqrt(2.0), 2 * M_PI * 1e-3 * i);
        BOOST_TEST(std::abs(std::complex<double>(block.re(0)[i], block.im(0)[i]) - y) < 3e-6);
        BOOST_TEST(std::abs(block.re(1)[i] - std::sqrt(2.0)) < 3e-6);
    }
    BOOST_CHECK_THROW(read_transmitter(reader, 1e9, 3), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(what_cannot_change_is_refused_and_nothing_changes)
{
    receiver_settings settings;
    receiver_chain chain(settings, 1);
    auto changed = settings;
    changed.iq_imbalance = iq_settings{ 6.0, 0.0 };
    changed.oscillator.seed = 3;
    BOOST_CHECK_THROW(chain.update(changed), std::invalid_argument);
    const auto x = tone(0.1, 100);
    BOOST_TEST((run(chain, x, 100, 100) == x));
    changed.oscillator.seed = 0;
    chain.update(changed);
    BOOST_TEST((run(chain, x, 100, 100) != x));
}
