/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/thzum/detector.h>
#include <boost/test/unit_test.hpp>
#include <limits>
#include <stdexcept>

using gr::thzum::make_detector;

namespace {

const std::vector<gr_complex> channel = { { 1, 0 }, { 0, 1 },   { 0, 2 },
                                          { 1, 0 }, { 0.5, 0 }, { 0, 0 } };
constexpr int n_rx = 3;
constexpr int n_tx = 2;

std::vector<gr_complex> received(const gr_complex& a, const gr_complex& b)
{
    std::vector<gr_complex> y(n_rx);
    for (int r = 0; r < n_rx; r++)
        y[r] = channel[2 * r] * a + channel[2 * r + 1] * b;
    return y;
}

} // namespace

BOOST_AUTO_TEST_CASE(detect_needs_a_channel)
{
    const auto detector = make_detector("lmmse", n_rx, n_tx, "qpsk");
    const std::vector<gr_complex> y(n_rx);
    int32_t symbols[n_tx];
    BOOST_CHECK_THROW(detector->detect(y.data(), 1, symbols, nullptr, nullptr, nullptr),
                      std::logic_error);
}

BOOST_AUTO_TEST_CASE(refused_channel_leaves_the_one_before)
{
    const auto& points = gr::thzum::constellation_points("16qam");
    const auto y = received(points[6], points[13]);
    for (const auto& info : gr::thzum::detectors()) {
        const auto detector = make_detector(info.name, n_rx, n_tx, "16qam");
        detector->set_channel(channel.data(), 1e-4f);
        int32_t before[n_tx], symbols[n_tx];
        detector->detect(y.data(), 1, before, nullptr, nullptr, nullptr);
        auto bad = channel;
        bad[3] = { 0, std::numeric_limits<float>::quiet_NaN() };
        BOOST_CHECK_THROW(detector->set_channel(bad.data(), 1e-4f), std::invalid_argument);
        BOOST_CHECK_THROW(detector->set_channel(channel.data(), 0.0f), std::invalid_argument);
        BOOST_CHECK_THROW(detector->set_channel(channel.data(), -1.0f), std::invalid_argument);
        detector->detect(y.data(), 1, symbols, nullptr, nullptr, nullptr);
        BOOST_CHECK_EQUAL_COLLECTIONS(before, before + n_tx, symbols, symbols + n_tx);
        // Two users are too few for message passing, and the matched filter sees them as noise.
        if (info.name != "mf" && info.name != "amp") {
            BOOST_TEST_CONTEXT(info.name)
            {
                BOOST_CHECK_EQUAL(symbols[0], 6);
                BOOST_CHECK_EQUAL(symbols[1], 13);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(outputs_may_be_left_out)
{
    const auto& points = gr::thzum::constellation_points("qpsk");
    const auto y = received(points[2], points[1]);
    const auto detector = make_detector("zf", n_rx, n_tx, "qpsk");
    detector->set_channel(channel.data(), 0.1f);
    int32_t symbols[n_tx];
    float llr[2 * n_tx], alone[2 * n_tx], variance[n_tx];
    gr_complex x_hat[n_tx];
    detector->detect(y.data(), 1, symbols, llr, x_hat, variance);
    detector->detect(y.data(), 1, symbols, alone, nullptr, nullptr);
    BOOST_CHECK_EQUAL_COLLECTIONS(llr, llr + 2 * n_tx, alone, alone + 2 * n_tx);
    BOOST_CHECK(std::abs(x_hat[0] - points[2]) < 1e-5f);
    // Bits 1 0 and 0 1: an LLR of log P(0)/P(1) is negative for a 1.
    BOOST_CHECK(llr[0] < 0 && llr[1] > 0 && llr[2] > 0 && llr[3] < 0);
    detector->detect(y.data(), 0, symbols, llr, x_hat, variance);
}

BOOST_AUTO_TEST_CASE(clear_errors)
{
    BOOST_CHECK_THROW(make_detector("best", 4, 4, "qpsk"), std::invalid_argument);
    BOOST_CHECK_THROW(make_detector("zf", 4, 4, "qam"), std::invalid_argument);
    BOOST_CHECK_THROW(make_detector("zf", 4, 5, "qpsk"), std::invalid_argument);
    BOOST_CHECK_THROW(make_detector("lmmse", 1 << 20, 4, "qpsk"), std::invalid_argument);
    BOOST_CHECK_THROW(make_detector("lmmse", 4, 4, "qpsk", { { "llr", 3.0 } }),
                      std::invalid_argument);
}
