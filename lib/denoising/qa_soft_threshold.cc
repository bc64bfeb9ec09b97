/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "denoising/qa_signals.h"
#include <gnuradio/thzum/denoiser.h>
#include <boost/test/unit_test.hpp>
#include <limits>

namespace thzum = gr::thzum;

namespace {

const thzum::array_shape shape{ 4, 8, 8 };
constexpr int count = 256;

thzum::denoiser::sptr make(double factor)
{
    return thzum::make_denoiser(
        "soft_threshold",
        shape,
        { { "dictionary", std::string("identity") }, { "threshold_factor", factor } },
        4);
}

/*! Stein's estimate of the risk of one coefficient, in double precision. */
double risk(const std::vector<gr_complex>& r, double threshold, double variance)
{
    double sum = 0;
    for (const auto& value : r) {
        const double m = std::abs(std::complex<double>(value));
        if (m > threshold)
            sum += threshold * threshold + 2 * variance * (1 - threshold / (2 * m));
        else
            sum += m * m;
    }
    return sum / r.size() - variance;
}

} // namespace

BOOST_AUTO_TEST_CASE(shrinks_the_magnitude_and_keeps_the_phase)
{
    qa_signals signals(1);
    const float variance = 0.3f;
    const auto r = signals.noisy(signals.sparse(count, 0.2), variance);
    std::vector<gr_complex> x_hat(count);
    make(1.5)->denoise(r.data(), &variance, 1, x_hat.data(), nullptr, nullptr);
    const double threshold = 1.5 * std::sqrt(0.3);
    for (int i = 0; i < count; i++) {
        const std::complex<double> exact(r[i]);
        const auto expected = exact * std::max(0.0, 1 - threshold / std::abs(exact));
        BOOST_CHECK_SMALL(std::abs(std::complex<double>(x_hat[i]) - expected), 1e-6);
    }
}

BOOST_AUTO_TEST_CASE(divergence_is_the_finite_difference)
{
    qa_signals signals(2);
    const float variance = 0.2f;
    auto denoiser = make(1.0);
    const auto r = signals.noisy(signals.sparse(count, 0.2), variance);
    float divergence = 0;
    std::vector<gr_complex> x_hat(count);
    denoiser->denoise(r.data(), &variance, 1, x_hat.data(), nullptr, &divergence);
    BOOST_CHECK_CLOSE(divergence, finite_difference(*denoiser, r, variance, 1e-3f), 1.0);
}

BOOST_AUTO_TEST_CASE(no_threshold_has_less_estimated_risk_than_the_chosen_one)
{
    qa_signals signals(3);
    auto denoiser = make(0);
    for (const float variance : { 1e-3f, 0.1f, 1.0f, 100.0f }) {
        const auto r = signals.noisy(signals.sparse(count, 0.1), variance);
        float estimated = 0;
        std::vector<gr_complex> x_hat(count);
        denoiser->denoise(r.data(), &variance, 1, x_hat.data(), &estimated, nullptr);
        double least = std::numeric_limits<double>::max();
        for (int i = 0; i <= 20000; i++)
            least = std::min(least, risk(r, i * 3e-4 * std::sqrt(variance), variance));
        BOOST_CHECK_LE(estimated, std::max(least, 0.0) * (1 + 1e-4) + 1e-6 * variance);
    }
}

BOOST_AUTO_TEST_CASE(predicted_error_is_unbiased)
{
    qa_signals signals(4);
    const float variance = 0.5f;
    auto denoiser = make(1.3);
    qa_mean difference;
    for (int trial = 0; trial < 400; trial++) {
        const auto x = signals.sparse(count, 0.1);
        const auto r = signals.noisy(x, variance);
        float predicted = 0;
        std::vector<gr_complex> x_hat(count);
        denoiser->denoise(r.data(), &variance, 1, x_hat.data(), &predicted, nullptr);
        difference.add(predicted - mean_square_error(x_hat, x));
    }
    BOOST_CHECK_SMALL(difference.mean(), 4 * difference.standard_error());
}

BOOST_AUTO_TEST_CASE(items_of_a_batch_do_not_mix_and_scale_with_a_gain)
{
    qa_signals signals(5);
    auto denoiser = make(0);
    const auto r = signals.noisy(signals.sparse(count, 0.1), 0.1f);
    const std::vector<float> gains{ 1e-8f, 1.0f, 1e8f };
    std::vector<gr_complex> batch, x_hat(3 * count);
    std::vector<float> variance, error(3), divergence(3);
    for (const float gain : gains) {
        for (const auto& value : r)
            batch.push_back(gain * value);
        variance.push_back(0.1f * gain * gain);
    }
    denoiser->denoise(
        batch.data(), variance.data(), 3, x_hat.data(), error.data(), divergence.data());
    for (int b = 0; b < 3; b++) {
        BOOST_CHECK_CLOSE(divergence[b], divergence[1], 0.1);
        BOOST_CHECK_CLOSE(error[b], error[1] * gains[b] * gains[b], 0.1);
        for (int i = 0; i < count; i++)
            BOOST_CHECK_SMALL(std::abs(x_hat[b * count + i] / gains[b] - x_hat[count + i]), 1e-5f);
    }
}

BOOST_AUTO_TEST_CASE(nothing_in_gives_nothing_out)
{
    const std::vector<gr_complex> r(count);
    const float variance = 1;
    std::vector<gr_complex> x_hat(count, 1);
    float error = 1, divergence = 1;
    make(0)->denoise(r.data(), &variance, 1, x_hat.data(), &error, &divergence);
    for (const auto& value : x_hat)
        BOOST_CHECK_EQUAL(value, gr_complex(0));
    BOOST_CHECK_EQUAL(error, 0);
    BOOST_CHECK_EQUAL(divergence, 0);
}

BOOST_AUTO_TEST_CASE(bad_arguments_are_refused)
{
    const std::vector<gr_complex> r(5 * count);
    std::vector<gr_complex> x_hat(5 * count);
    auto denoiser = make(0);
    for (const float bad : { 0.0f, -1.0f, std::numeric_limits<float>::quiet_NaN() })
        BOOST_CHECK_THROW(denoiser->denoise(r.data(), &bad, 1, x_hat.data(), nullptr, nullptr),
                          std::invalid_argument);
    const std::vector<float> variance(5, 1.0f);
    BOOST_CHECK_THROW(
        denoiser->denoise(r.data(), variance.data(), 5, x_hat.data(), nullptr, nullptr),
        std::invalid_argument);
    BOOST_CHECK_THROW(make(-1), std::invalid_argument);
    BOOST_CHECK_THROW(thzum::make_denoiser("soft", shape, {}, 1), std::invalid_argument);
    BOOST_CHECK_THROW(thzum::make_denoiser("soft_threshold", { 0, 8, 8 }, {}, 1),
                      std::invalid_argument);
    BOOST_CHECK_THROW(thzum::make_denoiser("soft_threshold", shape, { { "x", 1.0 } }, 1),
                      std::invalid_argument);
}
