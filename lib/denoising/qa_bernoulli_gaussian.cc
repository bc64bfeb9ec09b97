/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "denoising/qa_signals.h"
#include <gnuradio/thzum/denoiser.h>
#include <boost/test/unit_test.hpp>

namespace thzum = gr::thzum;

namespace {

const thzum::array_shape shape{ 4, 16, 16 };
constexpr int count = 1024;

thzum::denoiser::sptr make(int em_iterations, double sparsity)
{
    return thzum::make_denoiser("bernoulli_gaussian",
                                shape,
                                { { "dictionary", std::string("identity") },
                                  { "em_iterations", double(em_iterations) },
                                  { "sparsity", sparsity } },
                                2);
}

/*! Posterior mean under x ~ (1 - rate) delta + rate CN(0, signal), written out in double precision.
 */
std::complex<double> oracle(std::complex<double> r, double variance, double rate, double signal)
{
    const auto density = [](double energy, double v) { return std::exp(-energy / v) / v; };
    const double active = rate * density(std::norm(r), signal + variance);
    const double silent = (1 - rate) * density(std::norm(r), variance);
    return active / (active + silent) * signal / (signal + variance) * r;
}

double power(const std::vector<gr_complex>& r)
{
    double sum = 0;
    for (const auto& value : r)
        sum += std::norm(std::complex<double>(value));
    return sum / r.size();
}

} // namespace

BOOST_AUTO_TEST_CASE(posterior_mean_is_the_oracles)
{
    qa_signals signals(1);
    auto denoiser = make(0, 0.1);
    for (const float variance : { 0.05f, 0.5f, 2.0f }) {
        const auto r = signals.noisy(signals.sparse(count, 0.1), variance);
        std::vector<gr_complex> x_hat(count);
        denoiser->denoise(r.data(), &variance, 1, x_hat.data(), nullptr, nullptr);
        const double signal = (power(r) - variance) / 0.1; // what no EM round starts from
        for (int i = 0; i < count; i++)
            BOOST_CHECK_SMALL(
                std::abs(std::complex<double>(x_hat[i]) - oracle(r[i], variance, 0.1, signal)),
                2e-4);
    }
}

BOOST_AUTO_TEST_CASE(divergence_is_the_finite_difference)
{
    qa_signals signals(2);
    const float variance = 0.3f;
    auto denoiser = make(0, 0.1);
    const auto r = signals.noisy(signals.sparse(count, 0.1), variance);
    float divergence = 0;
    std::vector<gr_complex> x_hat(count);
    denoiser->denoise(r.data(), &variance, 1, x_hat.data(), nullptr, &divergence);
    // One coefficient moves the fitted prior by 1 / count as well: hence the bound.
    BOOST_CHECK_CLOSE(divergence, finite_difference(*denoiser, r, variance, 3e-3f), 2.0);
}

BOOST_AUTO_TEST_CASE(em_finds_the_prior_and_predicts_its_error)
{
    qa_signals signals(3);
    auto fitted = make(30, 0.3);
    auto known = make(0, 0.05); // its start has the right rate and power
    for (const float variance : { 0.01f, 0.1f, 1.0f }) {
        qa_mean difference, error, best;
        for (int trial = 0; trial < 100; trial++) {
            const auto x = signals.sparse(count, 0.05);
            const auto r = signals.noisy(x, variance);
            float predicted = 0;
            std::vector<gr_complex> x_hat(count);
            known->denoise(r.data(), &variance, 1, x_hat.data(), nullptr, nullptr);
            best.add(mean_square_error(x_hat, x));
            fitted->denoise(r.data(), &variance, 1, x_hat.data(), &predicted, nullptr);
            error.add(mean_square_error(x_hat, x));
            difference.add(predicted - mean_square_error(x_hat, x));
        }
        BOOST_CHECK_LT(error.mean(), 1.03 * best.mean());
        // The fit to the item itself makes the prediction a little optimistic; taking the larger of
        // two predictions lifts it by up to 0.4 standard deviations of Stein's estimate.
        const double bound = 4 * difference.standard_error() + 0.03 * error.mean();
        BOOST_CHECK_GT(difference.mean(), -bound);
        BOOST_CHECK_LT(difference.mean(), bound + 0.4 * variance / std::sqrt(double(count)));
    }
}

BOOST_AUTO_TEST_CASE(predicted_error_holds_for_another_prior)
{
    qa_signals signals(6);
    auto denoiser = make(20, 0.1);
    for (const float variance : { 0.01f, 0.1f, 1.0f }) {
        qa_mean difference, error;
        for (int trial = 0; trial < 100; trial++) {
            auto x = signals.sparse(count, 0.05);
            for (int i = 0; i < count; i++) // tails over four decades around the few strong ones
                x[i] += signals.gaussian(std::pow(10.0f, -4.0f * i / count));
            const auto r = signals.noisy(x, variance);
            float predicted = 0;
            std::vector<gr_complex> x_hat(count);
            denoiser->denoise(r.data(), &variance, 1, x_hat.data(), &predicted, nullptr);
            error.add(mean_square_error(x_hat, x));
            difference.add(predicted - mean_square_error(x_hat, x));
        }
        BOOST_CHECK_SMALL(difference.mean(), 4 * difference.standard_error() + 0.03 * error.mean());
    }
}

BOOST_AUTO_TEST_CASE(extreme_levels_stay_finite)
{
    qa_signals signals(4);
    auto denoiser = make(20, 0.1);
    const auto x = signals.sparse(count, 0.05);
    for (const float variance : { 1e-30f, 1e-12f, 1e-6f, 1e6f, 1e12f, 1e30f }) {
        std::vector<gr_complex> x_hat(count);
        float error = -1, divergence = -1;
        denoiser->denoise(x.data(), &variance, 1, x_hat.data(), &error, &divergence);
        BOOST_CHECK(std::isfinite(error) && error >= 0);
        BOOST_CHECK(std::isfinite(divergence) && divergence >= 0);
        const double distance =
            mean_square_error(x_hat, variance < 1 ? x : std::vector<gr_complex>(count));
        BOOST_CHECK_SMALL(distance, 1e-3);
    }
}

BOOST_AUTO_TEST_CASE(results_follow_a_gain)
{
    qa_signals signals(5);
    auto denoiser = make(10, 0.1);
    const float variance[] = { 0.1f, 0.1e-8f };
    auto r = signals.noisy(signals.sparse(count, 0.05), variance[0]);
    for (int i = 0; i < count; i++)
        r.push_back(1e-4f * r[i]);
    std::vector<gr_complex> x_hat(2 * count);
    float error[2], divergence[2];
    denoiser->denoise(r.data(), variance, 2, x_hat.data(), error, divergence);
    BOOST_CHECK_CLOSE(divergence[0], divergence[1], 0.1);
    BOOST_CHECK_CLOSE(error[0], 1e8f * error[1], 0.1);
    for (int i = 0; i < count; i++)
        BOOST_CHECK_SMALL(std::abs(x_hat[i] - 1e4f * x_hat[count + i]), 2e-3f);
}

BOOST_AUTO_TEST_CASE(nothing_in_gives_nothing_out)
{
    const std::vector<gr_complex> r(count);
    const float variance = 1;
    std::vector<gr_complex> x_hat(count, 1);
    make(10, 0.1)->denoise(r.data(), &variance, 1, x_hat.data(), nullptr, nullptr);
    for (const auto& value : x_hat)
        BOOST_CHECK_EQUAL(value, gr_complex(0));
}
