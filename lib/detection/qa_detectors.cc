/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/thzum/detector.h>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <limits>
#include <new>
#include <random>

using gr::thzum::make_detector;

namespace {

long allocations = 0;

constexpr int n_rx = 24, n_tx = 18, count = 40;

std::vector<gr_complex> normal(size_t n, unsigned seed)
{
    std::mt19937 rng(seed);
    std::normal_distribution<float> part(0.0f, 0.7f);
    std::vector<gr_complex> values(n);
    for (auto& value : values)
        value = { part(rng), part(rng) };
    return values;
}

struct outputs {
    std::vector<int32_t> symbols = std::vector<int32_t>(count * n_tx);
    std::vector<float> llr = std::vector<float>(count * n_tx * 4);
    std::vector<gr_complex> x_hat = std::vector<gr_complex>(count * n_tx);
    std::vector<float> variance = std::vector<float>(count * n_tx);

    void from(gr::thzum::detector& detector, const std::vector<gr_complex>& y)
    {
        detector.detect(y.data(), count, symbols.data(), llr.data(), x_hat.data(), variance.data());
    }
};

} // namespace

void* operator new(std::size_t size)
{
    allocations++;
    if (void* memory = std::malloc(size))
        return memory;
    throw std::bad_alloc();
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

BOOST_AUTO_TEST_CASE(nothing_is_allocated_while_detecting)
{
    const auto H = normal(n_rx * n_tx, 1), y = normal(count * n_rx, 2);
    for (const auto& info : gr::thzum::detectors()) {
        if (info.name == "amp_gnn")
            continue; // ONNX Runtime allocates when it runs
        const auto detector = make_detector(info.name, n_rx, n_tx, "16qam");
        outputs out;
        detector->set_channel(H.data(), 0.1f);
        const long before = allocations;
        detector->set_channel(H.data(), 0.2f);
        out.from(*detector, y);
        const long made = allocations - before;
        BOOST_TEST_CONTEXT(info.name) { BOOST_CHECK_EQUAL(made, 0); }
    }
}

BOOST_AUTO_TEST_CASE(a_bad_vector_leaves_the_others_alone)
{
    const auto H = normal(n_rx * n_tx, 3);
    const auto y = normal(count * n_rx, 4);
    auto bad = y;
    bad[5 * n_rx + 7] = { std::numeric_limits<float>::quiet_NaN(), 0.0f };
    bad[20 * n_rx] = { 0.0f, std::numeric_limits<float>::infinity() };
    for (const auto& info : gr::thzum::detectors()) {
        const auto detector = make_detector(info.name, n_rx, n_tx, "16qam");
        detector->set_channel(H.data(), 0.1f);
        outputs good, other;
        good.from(*detector, y);
        other.from(*detector, bad);
        bool is_same = true;
        for (int i = 0; i < count * n_tx; i++)
            if (i / n_tx != 5 && i / n_tx != 20)
                is_same = is_same && good.symbols[i] == other.symbols[i] &&
                          good.llr[4 * i] == other.llr[4 * i] && good.x_hat[i] == other.x_hat[i];
        BOOST_TEST_CONTEXT(info.name) { BOOST_CHECK(is_same); }
    }
}
