/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

// Times the linear module of OAMP on one thread and prints one line "name microseconds" per
// variant. The dense real-valued matrix pair of the published code runs in the same process, in
// turn with them.

#include "estimation/linear_step.h"
#include <volk/volk.h>
#include <algorithm>
#include <chrono>
#include <functional>
#include <iostream>
#include <random>
#include <vector>

using namespace gr::thzum;

namespace {

constexpr array_shape shape = { 4, 16, 16 };
constexpr int n_slots = 128;
constexpr int rounds = 15;

/*! y = A x, W y with real matrices of 2M x 2N and 2N x 2M, one row after the other. */
class dense_pair
{
public:
    dense_pair()
        : d_rows(2 * shape.n_subarrays * n_slots),
          d_cols(2 * shape.antennas()),
          d_forward(static_cast<size_t>(d_rows) * d_cols, 0.02f),
          d_inverse(static_cast<size_t>(d_rows) * d_cols, 0.02f),
          d_x(d_cols, 0.1f),
          d_y(d_rows, 0.1f),
          d_out(d_cols)
    {
    }

    void run()
    {
        for (int m = 0; m < d_rows; ++m)
            volk_32f_x2_dot_prod_32f(&d_y[m], &d_forward[size_t(m) * d_cols], d_x.data(), d_cols);
        for (int n = 0; n < d_cols; ++n)
            volk_32f_x2_dot_prod_32f(&d_out[n], &d_inverse[size_t(n) * d_rows], d_y.data(), d_rows);
    }

private:
    int d_rows, d_cols;
    std::vector<float> d_forward, d_inverse, d_x, d_y, d_out;
};

/*! The linear step of one operator and dictionary at batch one. */
class our_step
{
public:
    our_step(const pilot_operator::sptr& op, const std::string& dict)
        : d_step(observation_model::make(op, dictionary::make(dict, shape.rows, shape.cols)),
                 estimation::linear_kind::lmmse,
                 1),
          d_z(d_step.model()->singular_values().size(), gr_complex(0.1f, 0.2f)),
          d_x(d_step.coefficients(), gr_complex(0.1f, -0.1f)),
          d_r(d_x.size())
    {
    }

    void run() { d_step.run(d_z.data(), &d_noise_var, d_x.data(), 1, d_r.data(), &d_tau2); }

private:
    estimation::linear_step d_step;
    std::vector<gr_complex> d_z, d_x, d_r;
    float d_noise_var = 0.1f, d_tau2 = 0;
};

pilot_operator::sptr one_bit_operator()
{
    std::mt19937 rng(5);
    std::vector<gr_complex> rows(size_t(shape.n_subarrays) * n_slots * shape.elements());
    for (auto& entry : rows)
        entry = rng() & 1 ? 1.0f / 16 : -1.0f / 16;
    return pilot_operator::make(rows, n_slots, shape, noise_model::common);
}

double microseconds(const std::function<void()>& run, int repeats)
{
    const auto start = std::chrono::steady_clock::now();
    for (int k = 0; k < repeats; ++k)
        run();
    const std::chrono::duration<double, std::micro> passed =
        std::chrono::steady_clock::now() - start;
    return passed.count() / repeats;
}

} // namespace

int main()
{
    struct variant {
        std::string name;
        std::function<void()> run;
        int repeats;
        double best = 1e9;
    };
    dense_pair dense;
    const auto fast = pilot_operator::hadamard(shape, n_slots, 1);
    const auto one_bit = one_bit_operator();
    our_step fast_identity(fast, "identity"), fast_visible(fast, "visible_region");
    our_step dense_identity(one_bit, "identity"), dense_visible(one_bit, "visible_region");
    std::vector<variant> variants = {
        { "dense_pair", [&] { dense.run(); }, 50 },
        { "hadamard/identity", [&] { fast_identity.run(); }, 2000 },
        { "hadamard/visible_region", [&] { fast_visible.run(); }, 2000 },
        { "one_bit/identity", [&] { dense_identity.run(); }, 500 },
        { "one_bit/visible_region", [&] { dense_visible.run(); }, 2000 },
    };
    for (int round = 0; round < rounds; ++round)
        for (auto& v : variants)
            v.best = std::min(v.best, microseconds(v.run, v.repeats));
    for (const auto& v : variants)
        std::cout << v.name << ' ' << v.best << '\n';
}
