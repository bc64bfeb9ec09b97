/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/unexplained_energy.h"
#include <boost/test/unit_test.hpp>
#include <cmath>

using gr::thzum::estimation::unexplained_energy;

namespace {

/*! Posterior mean by integration: nothing with probability 4/5, else exponential of mean 3. */
double integrated(double x)
{
    constexpr double step = 1e-3, mean = 3.0;
    double weight = 0.8 * std::exp(-0.5 * x * x), sum = 0.0;
    for (double m = 0.5 * step; m < 60.0; m += step) {
        const double density =
            0.2 * step / mean * std::exp(-m / mean - 0.5 * (x - m) * (x - m));
        weight += density;
        sum += density * m;
    }
    return sum / weight;
}

} // namespace

BOOST_AUTO_TEST_CASE(is_the_posterior_mean)
{
    for (const double x : { -4.0, -1.0, 0.0, 0.5, 1.0, 2.0, 5.0, 20.0 })
        BOOST_CHECK_CLOSE(unexplained_energy(0.1 * x, 0.1), 0.1 * integrated(x), 0.01);
}

BOOST_AUTO_TEST_CASE(stays_finite_far_out)
{
    BOOST_CHECK_EQUAL(unexplained_energy(-1e6, 1.0), 0.0);
    BOOST_CHECK_CLOSE(unexplained_energy(1e6, 1.0), 1e6, 0.001);
}
