/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/oamp_iteration.h"
#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

double squared_norm(const gr_complex* x, int count)
{
    double sum = 0.0;
    for (int i = 0; i < count; ++i)
        sum += std::norm(x[i]);
    return sum;
}

double squared_distance(const gr_complex* x, const gr_complex* y, int count)
{
    double sum = 0.0;
    for (int i = 0; i < count; ++i)
        sum += std::norm(x[i] - y[i]);
    return sum;
}

} // namespace

oamp_iteration::oamp_iteration(const algorithm_info& info,
                               const option_map& given,
                               const pilot_operator::sptr& op,
                               denoiser::sptr denoise,
                               const iteration_settings& settings)
    : estimator_base(info, given, observation_model::make(op, denoise->dict())),
      d_denoiser(std::move(denoise)),
      d_settings(settings),
      d_step(model(),
             settings.linear,
             max_batch(),
             op->shape().n_subarrays / d_denoiser->shape().n_subarrays),
      d_anderson(settings.anderson, max_batch(), coefficients()),
      d_is_seen(op->shape().n_subarrays),
      d_unseen(0.0),
      d_active(0),
      d_item(max_batch()),
      d_scratch(size_t(max_batch()) * observations()),
      d_x(size_t(max_batch()) * coefficients()),
      d_estimate(d_x.size()),
      d_r(d_x.size()),
      d_next(d_x.size()),
      d_tau2(size_t(max_batch()) * groups()),
      d_error_variance(d_tau2.size()),
      d_divergence(d_tau2.size())
{
    const auto& sigma = model()->singular_values();
    const size_t subarrays = d_is_seen.size(), rank = sigma.size() / subarrays;
    for (size_t s = 0; s < subarrays; ++s) {
        d_is_seen[s] = std::any_of(&sigma[s * rank], &sigma[s * rank] + rank, [](float x) { return x > 0; });
        d_unseen += d_is_seen[s] ? 0.0 : 1.0 / subarrays;
    }
    if (settings.start != start_point::random)
        return;
    // The same start for every item, so that an estimate does not depend on its place in the batch.
    std::mt19937_64 generator(settings.seed);
    std::normal_distribution<float> normal(
        0.0f, static_cast<float>(std::sqrt(d_step.prior_variance() / 2.0)));
    d_start.resize(coefficients());
    for (auto& value : d_start) {
        const float re = normal(generator);
        value = gr_complex(re, normal(generator));
    }
}

void oamp_iteration::set_start(const gr_complex* z, int batch)
{
    if (d_settings.start == start_point::zero) {
        std::fill_n(d_x.begin(), size_t(batch) * coefficients(), gr_complex(0.0f));
    } else if (d_settings.start == start_point::random) {
        for (int b = 0; b < batch; ++b)
            std::copy(d_start.begin(), d_start.end(), d_x.begin() + size_t(b) * coefficients());
    } else {
        const auto& sigma = model()->singular_values();
        const float largest = *std::max_element(sigma.begin(), sigma.end());
        const int length = observations();
        for (int b = 0; b < batch; ++b)
            for (int i = 0; i < length; ++i)
                d_scratch[size_t(b) * length + i] = sigma[i] > 1e-6f * largest
                                                        ? z[size_t(b) * length + i] / sigma[i]
                                                        : gr_complex(0.0f);
        model()->from_singular(d_scratch.data(), d_x.data(), batch);
    }
    std::copy_n(d_x.begin(), size_t(batch) * coefficients(), d_estimate.begin());
}

// The last frame's estimate, in each subarray with the factor that fits the new pilots best: power and
// common phase may have changed. Where the channel is another one that factor is next to zero, and the
// start a cold one.
bool oamp_iteration::set_warm_starts(const gr_complex* z, int batch)
{
    const auto& sigma = model()->singular_values();
    const int subarrays = op()->shape().n_subarrays;
    const int n = coefficients() / subarrays, rank = observations() / subarrays;
    bool found = false;
    for (int b = 0; b < batch; ++b) {
        const float* from = state(b);
        if (!from || from[0] == 0.0f)
            continue;
        found = true;
        gr_complex* x = &d_x[size_t(b) * coefficients()];
        for (int i = 0; i < coefficients(); ++i)
            x[i] = gr_complex(from[head_size + 2 * i], from[head_size + 2 * i + 1]);
        model()->to_singular(x, d_scratch.data(), 1);
        for (int s = 0; s < subarrays; ++s) {
            std::complex<double> match = 0.0;
            double energy = 0.0;
            for (int i = s * rank; i < (s + 1) * rank; ++i) {
                const gr_complex seen = sigma[i] * d_scratch[i];
                match += std::conj(seen) * z[size_t(b) * observations() + i];
                energy += std::norm(seen);
            }
            const auto factor = energy > 0.0 ? gr_complex(match / energy) : gr_complex(0.0f);
            for (int i = s * n; i < (s + 1) * n; ++i)
                x[i] *= factor;
        }
        std::copy_n(x, coefficients(), &d_estimate[size_t(b) * coefficients()]);
    }
    return found;
}

void oamp_iteration::keep_state(float* state,
                                const gr_complex* estimate,
                                estimate_report& report) const
{
    if (state[0] > 0.0f)
        report.steps_saved = static_cast<int>(state[1]) - report.steps;
    else
        state[1] = report.steps;
    state[0] += 1.0f;
    for (int i = 0; i < coefficients(); ++i) {
        state[head_size + 2 * i] = estimate[i].real();
        state[head_size + 2 * i + 1] = estimate[i].imag();
    }
}

void oamp_iteration::iterate(const gr_complex* z, const float* noise_var, bool from_zero)
{
    d_step.run(z, noise_var, from_zero ? nullptr : d_x.data(), d_active, d_r.data(), d_tau2.data());
    d_denoiser->denoise(d_r.data(),
                        d_tau2.data(),
                        d_active * groups(),
                        d_next.data(),
                        d_error_variance.data(),
                        d_settings.divergence_free ? d_divergence.data() : nullptr);
    if (d_unseen > 0.0)
        clear_unseen();
}

void oamp_iteration::clear_unseen()
{
    const size_t subarrays = d_is_seen.size(), n = coefficients() / subarrays;
    for (size_t i = 0; i < d_active * subarrays; ++i)
        if (!d_is_seen[i % subarrays])
            std::fill_n(&d_next[i * n], n, gr_complex(0.0f));
    // Their error is all of their power. Where groups are subarrays each has a variance of its own,
    // elsewhere the variance is that of the others.
    for (int i = 0; i < d_active * groups(); ++i) {
        const bool alone = groups() == int(subarrays);
        const double unseen = alone ? (d_is_seen[i % subarrays] ? 0.0 : 1.0) : d_unseen;
        d_error_variance[i] = static_cast<float>((1.0 - unseen) * d_error_variance[i] +
                                                 unseen * d_step.prior_variance());
    }
}

void oamp_iteration::update_report(int a, estimate_report& report) const
{
    const int n = coefficients();
    const gr_complex* next = &d_next[size_t(a) * n];
    const double change = squared_distance(next, &d_estimate[size_t(a) * n], n);
    const double size = squared_norm(next, n);
    const float before = report.residual;
    report.residual = static_cast<float>(
        change == 0.0 ? 0.0 : std::sqrt(change / std::max(size, 1e-12 * change)));
    report.residual_history[report.iterations++] = report.residual;
    if (report.iterations > 1 && before > 0.0f)
        report.contraction = report.residual / before;
    const float* variance = &d_error_variance[size_t(a) * groups()];
    report.predicted_nmse_db = nmse_db(std::accumulate(variance, variance + groups(), 0.0) / groups());
}

void oamp_iteration::update_message(int a)
{
    const int n = coefficients();
    const size_t begin = size_t(a) * n;
    d_anderson.next(a, &d_estimate[begin], &d_next[begin]);
    if (d_settings.anderson) {
        std::copy_n(&d_estimate[begin], n, &d_x[begin]);
        return;
    }
    for (int g = 0; g < groups(); ++g) {
        const float alpha = d_settings.divergence_free
                                ? bounded_divergence(d_divergence[size_t(a) * groups() + g])
                                : 0.0f;
        const float scale = 1.0f / (1.0f - alpha);
        const size_t end = begin + size_t(n) / groups() * (g + 1);
        for (size_t i = end - n / groups(); i < end; ++i)
            d_x[i] = scale * (d_next[i] - alpha * d_r[i]);
    }
}

void oamp_iteration::move(int from, int to, gr_complex* z, float* noise_var)
{
    if (from == to)
        return;
    const int n = coefficients(), length = observations();
    std::copy_n(&d_x[size_t(from) * n], n, &d_x[size_t(to) * n]);
    std::copy_n(&d_estimate[size_t(from) * n], n, &d_estimate[size_t(to) * n]);
    std::copy_n(z + size_t(from) * length, length, z + size_t(to) * length);
    d_anderson.move(from, to);
    noise_var[to] = noise_var[from];
    d_item[to] = d_item[from];
}

void oamp_iteration::run(
    gr_complex* z, float* noise_var, int batch, gr_complex* c, estimate_report* report)
{
    const int n = coefficients();
    set_start(z, batch);
    const bool has_warm = set_warm_starts(z, batch);
    d_active = batch;
    for (int b = 0; b < batch; ++b) {
        d_item[b] = b;
        d_anderson.reset(b);
        report[b].iterations = 0;
    }
    for (int t = 0; d_active > 0; ++t) {
        iterate(z, noise_var, t == 0 && !has_warm && d_settings.start == start_point::zero);
        int moving = 0;
        for (int a = 0; a < d_active; ++a) {
            auto& own = report[d_item[a]];
            update_report(a, own);
            if (own.residual <= d_settings.tolerance || t + 1 == d_settings.max_iterations) {
                std::copy_n(&d_next[size_t(a) * n], n, c + size_t(d_item[a]) * n);
                continue;
            }
            update_message(a);
            move(a, moving++, z, noise_var);
        }
        d_active = moving;
    }
    for (int b = 0; b < batch; ++b) {
        report[b].steps = report[b].iterations;
        if (state(b))
            keep_state(state(b), c + size_t(b) * n, report[b]);
    }
}

} // namespace estimation
} // namespace thzum
} // namespace gr
