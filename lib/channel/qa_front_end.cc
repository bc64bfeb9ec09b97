/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "channel/amplifier.h"
#include "channel/elementary.h"
#include "channel/iq_imbalance.h"
#include <boost/test/unit_test.hpp>
#include <algorithm>
#include <cmath>
#include <complex>

using namespace gr::thzum;
using complexd = std::complex<double>;

BOOST_AUTO_TEST_CASE(elementary_functions_are_accurate)
{
    for (double x = 1e-30; x < 1e30; x *= 1.37) {
        const double exact = std::log2(double(float(x)));
        BOOST_TEST(std::abs(log2_of(float(x)) - exact) <= 2e-7 * (1 + std::abs(exact)));
        BOOST_TEST(std::abs(exp2_of(float(exact)) / std::exp2(double(float(exact))) - 1) < 3e-7);
    }
    for (double turns = -3; turns < 3; turns += 0.00137) {
        float cosine, sine;
        cos_sin_turns(float(turns), cosine, sine);
        const double angle = 2 * M_PI * double(float(turns));
        BOOST_TEST(std::abs(cosine - std::cos(angle)) < 3e-7);
        BOOST_TEST(std::abs(sine - std::sin(angle)) < 3e-7);
    }
}

BOOST_AUTO_TEST_CASE(rapp_amplifier_follows_its_am_am_curve)
{
    for (const double smoothness : { 0.5, 1.0, 2.0, 3.0, 200.0 }) {
        const double saturation = 2.0;
        sample_block block(1);
        block.count = sample_block::capacity;
        std::vector<complexd> x(block.count);
        for (int i = 0; i < block.count; i++) {
            const auto sample = std::polar(1e-3 * std::pow(10.0, 6.0 * i / block.count), 0.1 * i);
            x[i] = { block.re(0)[i] = float(sample.real()), block.im(0)[i] = float(sample.imag()) };
        }
        rapp_amplifier(smoothness, saturation).apply(block);
        for (int i = 0; i < block.count; i++) {
            const double v = 2 * smoothness * std::log(std::abs(x[i]) / saturation);
            const double log_sum = std::max(v, 0.0) + std::log1p(std::exp(-std::abs(v)));
            const complexd y = x[i] * std::exp(-log_sum / (2 * smoothness));
            BOOST_TEST(std::abs(complexd(block.re(0)[i], block.im(0)[i]) - y) < 3e-6 * std::abs(y));
        }
    }
}

BOOST_AUTO_TEST_CASE(rapp_amplifier_leaves_silence_and_survives_excess)
{
    sample_block block(1);
    block.count = 2;
    block.re(0)[1] = 1e18f;
    rapp_amplifier(2.0, 1.5).apply(block);
    BOOST_TEST(block.re(0)[0] == 0.0f);
    BOOST_TEST(std::abs(block.re(0)[1] - 1.5f) < 1e-4f);
}

// A tone of whole periods: what appears at its negative frequency over what stays is the closed
// form.
BOOST_AUTO_TEST_CASE(iq_imbalance_rejects_the_image_as_in_closed_form)
{
    for (const auto& [amplitude_db, phase_deg] : { std::pair{ 1.0, 0.0 },
                                                   std::pair{ 0.0, 5.0 },
                                                   std::pair{ 0.5, -3.0 },
                                                   std::pair{ -2.0, 20.0 } }) {
        sample_block block(2);
        const int n = block.count = sample_block::capacity, bin = 19;
        for (int i = 0; i < n; i++) {
            block.re(1)[i] = float(std::cos(2 * M_PI * bin * i / n));
            block.im(1)[i] = float(std::sin(2 * M_PI * bin * i / n));
        }
        iq_imbalance(amplitude_db, phase_deg).apply(block);
        complexd wanted = 0, image = 0;
        for (int i = 0; i < n; i++) {
            const complexd y(block.re(1)[i], block.im(1)[i]);
            wanted += y * std::polar(1.0 / n, -2 * M_PI * bin * i / n);
            image += y * std::polar(1.0 / n, 2 * M_PI * bin * i / n);
        }
        const double gain = std::pow(10.0, amplitude_db / 20), phi = phase_deg * M_PI / 180;
        BOOST_TEST(std::abs(wanted - 0.5 * (1.0 + std::polar(gain, -phi))) < 1e-6);
        BOOST_TEST(std::abs(image - 0.5 * (1.0 - std::polar(gain, phi))) < 1e-6);
        BOOST_TEST(block.im(0)[3] == 0.0f);
    }
}

BOOST_AUTO_TEST_CASE(samples_that_no_float_can_square_become_zero)
{
    const float nan = std::numeric_limits<float>::quiet_NaN(), inf = HUGE_VALF;
    std::vector<gr_complex> x(40, gr_complex(1, -2)), y(40);
    x[3] = { nan, 1 };
    x[17] = { 1, -inf };
    x[20] = { -2e18f, 0 };
    x[39] = { nan, inf };
    const gr_complex* in[] = { x.data() };
    gr_complex* out[] = { y.data() };
    sample_block block(1);
    BOOST_TEST(block.load(in, 0, 40) == 4);
    block.store(out, 0);
    for (int i = 0; i < 40; i++)
        BOOST_TEST((y[i] == (i == 3 || i == 17 || i == 20 || i == 39 ? gr_complex(0) : x[i])));
}
