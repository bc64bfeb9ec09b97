/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "denoising/qa_signals.h"
#include <gnuradio/thzum/denoiser.h>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <new>

namespace thzum = gr::thzum;

namespace {
long allocations = 0;
}

void* operator new(size_t size)
{
    allocations++;
    if (void* memory = std::malloc(size))
        return memory;
    throw std::bad_alloc();
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

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
