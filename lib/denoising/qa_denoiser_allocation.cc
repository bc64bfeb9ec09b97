/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/qa_allocations.h"
#include "denoising/qa_signals.h"
#include <gnuradio/thzum/denoiser.h>
#include <boost/test/unit_test.hpp>

namespace thzum = gr::thzum;

BOOST_AUTO_TEST_CASE(denoising_allocates_nothing)
{
    qa_signals signals(1);
    for (const std::string name : { "soft_threshold", "bernoulli_gaussian" }) {
        auto denoiser = thzum::make_denoiser(name, { 4, 16, 16 }, {}, 3);
        const int size = 3 * 4 * denoiser->dict()->coefficients();
        const auto r = signals.noisy(signals.sparse(size, 0.1), 0.1f);
        const std::vector<float> variance(3, 0.1f);
        std::vector<gr_complex> x_hat(size);
        std::vector<float> error(3), divergence(3);
        const long before = allocations;
        denoiser->denoise(
            r.data(), variance.data(), 3, x_hat.data(), error.data(), divergence.data());
        BOOST_CHECK_EQUAL(allocations, before);
        BOOST_CHECK_GT(before, 0);
    }
}
