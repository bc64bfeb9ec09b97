/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/thzum/estimator.h>
#include <boost/test/unit_test.hpp>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <new>
#include <random>

namespace {

std::atomic<long> allocations{ 0 };

} // namespace

// Replaced for the whole program, library included.
void* operator new(std::size_t size)
{
    ++allocations;
    if (void* memory = std::malloc(size))
        return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace gr {
namespace thzum {

namespace {

constexpr int batch = 5;
const std::vector<std::string> without_model = { "ls",        "lmmse",      "omp", "newtonized_omp",
                                                 "polar_omp", "hybrid_omp", "amp", "oamp" };

/*! With the layout for those that take one. */
option_map options_of(const std::string& name)
{
    option_map options = { { "max_batch", 2.0 } };
    for (const auto& info : estimators())
        if (info.name == name)
            for (const auto& option : info.options)
                if (option.name == "subarray_centres")
                    options[option.name] = std::vector<gr_complex>{ -20.0f, 20.0f };
    return options;
}

struct fixture {
    pilot_operator::sptr op = pilot_operator::hadamard({ 2, 8, 8 }, 32, 1);
    std::vector<gr_complex> y, h_hat;
    std::vector<float> noise_var;
    std::vector<estimate_report> report;

    fixture()
        : y(batch * op->n_observations()),
          h_hat(batch * op->shape().antennas()),
          noise_var(batch, 0.1f),
          report(batch)
    {
        std::mt19937 generator(1);
        std::normal_distribution<float> normal(0.0f, 0.7f);
        for (auto& value : y)
            value = gr_complex(normal(generator), normal(generator));
    }

    void run(estimator& est)
    {
        est.estimate(y.data(), noise_var.data(), batch, h_hat.data(), report.data());
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(estimators_behind_their_interface, fixture)

BOOST_AUTO_TEST_CASE(estimating_does_not_allocate)
{
    for (const auto& name : without_model) {
        const auto est = make_estimator(name, op, options_of(name));
        run(*est);
        const long before = allocations;
        run(*est);
        const long made = allocations - before;
        BOOST_TEST_CONTEXT(name) { BOOST_CHECK_EQUAL(made, 0); }
    }
}

BOOST_AUTO_TEST_CASE(reports_are_complete)
{
    for (const auto& name : without_model) {
        const auto est = make_estimator(name, op, options_of(name));
        run(*est);
        for (const auto& r : report) {
            BOOST_TEST_CONTEXT(name)
            {
                BOOST_CHECK_GE(r.iterations, 0);
                BOOST_CHECK_LE(r.iterations, estimate_report::history_length);
                BOOST_CHECK_EQUAL(r.noise_var, 0.1f);
                BOOST_CHECK(std::isfinite(r.residual));
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_noise_variance_has_to_be_positive)
{
    const auto est = make_estimator("ls", op);
    for (const float bad : { 0.0f, -1.0f, std::numeric_limits<float>::quiet_NaN() }) {
        noise_var[3] = bad;
        BOOST_CHECK_THROW(run(*est), std::invalid_argument);
    }
}

BOOST_AUTO_TEST_CASE(options_and_names_are_checked)
{
    BOOST_CHECK_THROW(make_estimator("nothing", op), std::invalid_argument);
    BOOST_CHECK_THROW(make_estimator("ls", nullptr), std::invalid_argument);
    BOOST_CHECK_THROW(make_estimator("ls", op, { { "nothing", 1.0 } }), std::invalid_argument);
    BOOST_CHECK_THROW(make_estimator("ls", op, { { "max_batch", 0.0 } }), std::invalid_argument);
    BOOST_CHECK_EQUAL(std::get<double>(make_estimator("ls", op)->options().at("max_batch")), 16.0);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace thzum
} // namespace gr
