/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/qa_allocations.h"
#include <gnuradio/thzum/wideband_estimator.h>
#include <boost/test/unit_test.hpp>
#include <algorithm>
#include <cmath>
#include <random>

namespace thzum = gr::thzum;

namespace {

constexpr int batch = 3;
const thzum::array_shape shape = { 4, 16, 16 };

/*! Pilots of two plane waves per item, in noise. */
std::vector<gr_complex> pilots(const thzum::pilot_operator::sptr& op, float noise_var)
{
    std::mt19937 generator(1);
    std::normal_distribution<float> normal;
    std::vector<gr_complex> h(size_t(batch) * shape.antennas());
    for (size_t i = 0; i < h.size(); ++i) {
        const int row = i / shape.cols % shape.rows, col = i % shape.cols;
        const int item = i / shape.antennas();
        h[i] = gr_complex(std::polar(1.0, 0.7 * row - (0.3 + 0.1 * item) * col)) +
               gr_complex(std::polar(0.8, -0.4 * row + 0.9 * col)) +
               std::sqrt(0.5f * noise_var) * gr_complex(normal(generator), normal(generator));
    }
    std::vector<gr_complex> y(size_t(batch) * op->n_observations());
    op->forward(h.data(), y.data(), batch);
    return y;
}

} // namespace

// Networks are left out: ONNX Runtime keeps memory of its own.
BOOST_AUTO_TEST_CASE(estimating_allocates_nothing)
{
    const auto op = thzum::pilot_operator::hadamard(shape, 128, 1);
    const float noise_var = 0.1f;
    const auto y = pilots(op, noise_var);
    const std::vector<float> variances(batch, noise_var);
    const std::vector<gr_complex> centres = { { 0, 0 }, { 59, 0 }, { 0, 59 }, { 59, 59 } };
    const std::vector<std::pair<std::string, thzum::option_map>> cases = {
        { "ls", {} },
        { "lmmse", {} },
        { "omp", {} },
        { "amp", {} },
        { "oamp", {} },
        { "newtonized_omp", {} },
        { "newtonized_omp", { { "subarray_centres", centres } } },
        { "auto", { { "learned", std::string("oamp") }, { "subarray_centres", centres } } },
    };
    for (const auto& [name, options] : cases) {
        const auto estimator = thzum::make_estimator(name, op, options);
        std::vector<gr_complex> h_hat(size_t(batch) * shape.antennas());
        std::vector<thzum::estimate_report> report(batch);
        const long before = allocations;
        estimator->estimate(y.data(), variances.data(), batch, h_hat.data(), report.data());
        BOOST_CHECK_MESSAGE(allocations == before,
                            name << " allocated " << allocations - before << " times");
        BOOST_CHECK_GT(before, 0);

        // The first estimate of an unknown noise level allocates, those after it do not.
        estimator->estimate(y.data(), nullptr, batch, h_hat.data(), report.data());
        const long prepared = allocations;
        estimator->estimate(y.data(), nullptr, batch, h_hat.data(), report.data());
        BOOST_CHECK_MESSAGE(allocations == prepared,
                            name << " without noise level allocated " << allocations - prepared
                                 << " times");
    }
}

BOOST_AUTO_TEST_CASE(estimating_behind_converters_allocates_nothing)
{
    const auto op = thzum::pilot_operator::hadamard(shape, 128, 1);
    auto y = pilots(op, 0.1f);
    const auto level = [](float x) { return std::min(std::max(std::floor(x), -2.0f), 1.0f) + 0.5f; };
    for (auto& value : y)
        value = gr_complex(level(value.real()), level(value.imag()));
    const std::vector<float> variances(batch, 0.1f);
    std::vector<gr_complex> h_hat(size_t(batch) * shape.antennas());
    std::vector<thzum::estimate_report> report(batch);
    for (const std::string name : { "omp", "newtonized_omp" }) {
        const auto estimator = thzum::make_estimator(name, op, { { "adc_bits", 2.0 } });
        const long before = allocations;
        estimator->estimate(y.data(), variances.data(), batch, h_hat.data(), report.data());
        BOOST_CHECK_MESSAGE(allocations == before,
                            name << " allocated " << allocations - before << " times");
    }
}

// The items' pilots serve as those of subcarriers.
BOOST_AUTO_TEST_CASE(estimating_over_a_band_allocates_nothing)
{
    const auto op = thzum::pilot_operator::hadamard(shape, 128, 1);
    const float noise_var = 0.1f;
    auto y = pilots(op, noise_var);
    y.insert(y.end(), y.begin(), y.end());
    const std::vector<double> frequencies = { 290e9, 294e9, 298e9, 302e9, 306e9, 310e9 };
    const std::vector<gr_complex> centres = { { 0, 0 }, { 59, 0 }, { 0, 59 }, { 59, 59 } };
    const std::vector<std::pair<std::string, thzum::option_map>> cases = {
        { "newtonized_omp", { { "subarray_centres", centres } } },
        { "newtonized_omp", { { "gains", std::string("free") } } },
        { "fpn_oamp", { { "denoiser", std::string("soft_threshold") } } },
    };
    for (const auto& [name, options] : cases) {
        const auto estimator =
            thzum::make_wideband_estimator(name, op, frequencies, 300e9, options);
        std::vector<gr_complex> h_hat(frequencies.size() * shape.antennas());
        thzum::estimate_report report;
        const long before = allocations;
        estimator->estimate(y.data(), &noise_var, 1, h_hat.data(), &report);
        BOOST_CHECK_MESSAGE(allocations == before,
                            name << " allocated " << allocations - before << " times");
    }
}
