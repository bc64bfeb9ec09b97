/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "channel/adc.h"
#include "channel/counter_noise.h"
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <set>

using namespace gr::thzum;

namespace {

struct measured {
    double power = 0, error = 0;
    std::set<float> levels;
};

// Gaussian samples of the given power through an ADC; what comes before `settled` is left out.
measured measure(adc& converter, double power, int n, int settled = 0)
{
    measured sums;
    sample_block block(1), sent(1);
    for (int first = 0; first < n; first += block.count) {
        block.count = sample_block::capacity;
        for (int part = 0; part < 2; part++) {
            float* x = part == 0 ? block.re(0) : block.im(0);
            counter_normal(3, part, first, block.count, x);
            for (int i = 0; i < block.count; i++)
                x[i] *= float(std::sqrt(power / 2));
        }
        sent = block;
        converter.apply(block);
        for (int i = 0; i < block.count && first >= settled; i++) {
            const gr_complex x(sent.re(0)[i], sent.im(0)[i]), y(block.re(0)[i], block.im(0)[i]);
            sums.power += std::norm(x);
            sums.error += std::norm(y - x);
            sums.levels.insert(y.real());
        }
    }
    return sums;
}

} // namespace

// Max, IRE Trans. Inf. Theory 6 (1960), table II.
BOOST_AUTO_TEST_CASE(optimal_step_is_that_of_max)
{
    const double steps[] = { 1.596, 0.9957, 0.5860, 0.3352, 0.1881 };
    const double errors[] = { 0.3634, 0.1188, 0.03744, 0.01154, 0.003495 };
    for (int bits = 1; bits <= 5; bits++) {
        const double step = optimal_quantiser_step(bits);
        const auto moments = moments_of_quantiser(bits, step);
        BOOST_TEST(std::abs(step - steps[bits - 1]) < 1e-3);
        BOOST_TEST(std::abs((1 - 2 * moments.cross + moments.square) / errors[bits - 1] - 1) <
                   1e-3);
    }
}

BOOST_AUTO_TEST_CASE(noise_of_quantisation_is_the_closed_form)
{
    const int n = 1 << 17;
    for (int bits = 1; bits <= 7; bits++) {
        adc converter({ bits, 0.0, 9.0, 0.0 }, 1);
        const auto sums = measure(converter, 9.0, n);
        const auto moments = moments_of_quantiser(bits, optimal_quantiser_step(bits));
        const double expected = 9.0 * (1 - 2 * moments.cross + moments.square);
        // The squared error of I or Q has a relative deviation below 4 for up to 7 bits.
        BOOST_TEST(std::abs(sums.error / n / expected - 1) < 5 * 4 / std::sqrt(2.0 * n));
        BOOST_TEST(sums.levels.size() <= size_t(1) << bits);
    }
}

BOOST_AUTO_TEST_CASE(gain_control_settles_on_the_power)
{
    const int n = 1 << 17, tau = 2000;
    for (const double power : { 1e-4, 900.0 })
        for (const int bits : { 1, 4 }) {
            adc converter({ bits, 0.0, 1.0, double(tau) }, 1);
            const auto sums = measure(converter, power, n, 20 * tau);
            const auto moments = moments_of_quantiser(bits, optimal_quantiser_step(bits));
            // The estimate spreads by 1.6 %, which costs well below 2 % of the error.
            BOOST_TEST(std::abs(sums.error / sums.power / (1 - 2 * moments.cross + moments.square) -
                                1) < 0.02 + 5 * 4 / std::sqrt(2.0 * n));
        }
}

BOOST_AUTO_TEST_CASE(rows_do_not_depend_on_their_neighbours)
{
    for (const int rows : { 2, 4, 5 }) {
        adc together({ 6, 0.0, 1.0, 50.0 }, rows), alone({ 6, 0.0, 1.0, 50.0 }, 1);
        sample_block all(rows), one(1);
        for (int first = 0; first < 3 * 37; first += 37) {
            all.count = one.count = 37;
            for (int row = 0; row < rows; row++)
                for (int part = 0; part < 2; part++)
                    counter_normal(1, 2 * row + part, first, 37, part ? all.im(row) : all.re(row));
            std::copy_n(all.re(rows - 1), 37, one.re(0));
            std::copy_n(all.im(rows - 1), 37, one.im(0));
            together.apply(all);
            alone.apply(one);
            for (int i = 0; i < 37; i++)
                BOOST_TEST(all.re(rows - 1)[i] == one.re(0)[i]);
        }
    }
}

BOOST_AUTO_TEST_CASE(gain_control_survives_silence)
{
    adc converter({ 4, 0.0, 1.0, 2.0 }, 1);
    sample_block block(1);
    block.count = sample_block::capacity;
    for (int i = 0; i < 20; i++)
        converter.apply(block), std::fill_n(block.re(0), block.count, 0.0f);
    std::fill_n(block.re(0), block.count, 5.0f);
    converter.apply(block);
    for (int i = 0; i < block.count; i++)
        BOOST_TEST(std::abs(block.re(0)[i]) < 50.0f);
}
