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
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

using namespace estimation;

/*! The scalar channel r = c + sqrt(tau2) n in front of the denoiser, over sample channels. An item is a
 * channel, or one subarray of it where the denoiser is made for one. */
class scalar_channel
{
public:
    scalar_channel(denoiser::sptr denoise, const gr_complex* channels, int count, uint64_t seed)
        : d_denoiser(std::move(denoise)),
          d_count(count),
          d_length(d_denoiser->shape().n_subarrays * d_denoiser->dict()->coefficients()),
          d_generator(seed),
          d_c(size_t(count) * d_length),
          d_r(size_t(d_denoiser->max_batch()) * d_length),
          d_x(d_r.size()),
          d_variance(d_denoiser->max_batch()),
          d_divergence(d_denoiser->max_batch()),
      d_errors(count)
    {
        d_denoiser->dict()->analyze(channels, d_c.data(), count * d_denoiser->shape().n_subarrays);
    }

    /*! Energy of the channels that the dictionary holds. */
    double energy() const
    {
        double sum = 0.0;
        for (const auto& c : d_c)
            sum += std::norm(c);
        return sum;
    }

    /*! Mean-square errors per coefficient of every item. */
    struct item_errors {
        double estimate; // of D(r)
        double message;  // of what the linear step gets of it
    };

    int items() const { return d_count; }

    /*! Mean energy of an item's coefficients. */
    double power(int item) const
    {
        double sum = 0.0;
        for (int i = 0; i < d_length; ++i)
            sum += std::norm(d_c[size_t(item) * d_length + i]);
        return sum / d_length;
    }

    /*! D at noise of variance tau2 [item]. */
    const std::vector<item_errors>& measure(const std::vector<double>& tau2, bool divergence_free)
    {
        const int piece = d_denoiser->max_batch();
        for (int begin = 0; begin < d_count; begin += piece)
            measure_piece(begin, std::min(piece, d_count - begin), tau2, divergence_free);
        return d_errors;
    }

private:
    void
    measure_piece(int begin, int batch, const std::vector<double>& tau2, bool divergence_free)
    {
        std::normal_distribution<float> normal(0.0f, static_cast<float>(std::sqrt(0.5)));
        const gr_complex* c = &d_c[size_t(begin) * d_length];
        for (int i = 0; i < batch * d_length; ++i) {
            const auto scale = static_cast<float>(std::sqrt(tau2[begin + i / d_length]));
            const float re = normal(d_generator);
            d_r[i] = c[i] + scale * gr_complex(re, normal(d_generator));
        }
        std::copy_n(tau2.begin() + begin, batch, d_variance.begin());
        d_denoiser->denoise(d_r.data(),
                            d_variance.data(),
                            batch,
                            d_x.data(),
                            nullptr,
                            divergence_free ? d_divergence.data() : nullptr);
        for (int b = 0; b < batch; ++b) {
            const float alpha = divergence_free ? bounded_divergence(d_divergence[b]) : 0.0f;
            item_errors sum = {};
            for (int i = b * d_length; i < (b + 1) * d_length; ++i) {
                const gr_complex message = (d_x[i] - alpha * d_r[i]) / (1.0f - alpha);
                sum.estimate += std::norm(d_x[i] - c[i]);
                sum.message += std::norm(message - c[i]);
            }
            d_errors[begin + b] = { sum.estimate / d_length, sum.message / d_length };
        }
    }

    denoiser::sptr d_denoiser;
    const int d_count, d_length;
    std::mt19937_64 d_generator;
    std::vector<gr_complex> d_c, d_r, d_x;
    std::vector<float> d_variance, d_divergence;
    std::vector<item_errors> d_errors;
};

const algorithm_info& info_of(const std::string& name)
{
    if (name == "oamp" || name == "fpn_oamp")
        for (const auto& info : estimators())
            if (info.name == name)
                return info;
    throw std::invalid_argument("name: expected 'oamp' or 'fpn_oamp', got '" + name + "'");
}

} // namespace

std::vector<state_evolution_step> state_evolution(const std::string& name,
                                                  const pilot_operator::sptr& op,
                                                  const option_map& options,
                                                  const gr_complex* channels,
                                                  int count,
                                                  double noise_var,
                                                  int iterations,
                                                  uint64_t seed)
{
    const auto& info = info_of(name);
    if (!(noise_var > 0.0))
        throw std::invalid_argument("noise_var: expected a value above 0, got " +
                                    std::to_string(noise_var));
    if (count < 1 || iterations < 1)
        throw std::invalid_argument("channels, iterations: expected at least one of each");
    const option_reader reader(info, options);
    const bool divergence_free = reader.flag("divergence_free");
    const auto kind = linear_kind_of(reader.choice("linear", linear_kind_names()));
    const auto denoise = make_oamp_denoiser(info, op, options);
    const int groups = op->shape().n_subarrays / denoise->shape().n_subarrays;
    linear_step step(observation_model::make(op, denoise->dict()), kind, 1, groups);
    scalar_channel channel(denoise, channels, count * groups, seed);

    double energy = 0.0;
    for (size_t i = 0; i < size_t(count) * op->shape().antennas(); ++i)
        energy += std::norm(channels[i]);
    const double missed = std::max(energy - channel.energy(), 0.0);

    // Channels converge each at a pace of its own, and their mean is not that of a mean channel.
    std::vector<double> v(channel.items()), tau2(channel.items());
    for (int i = 0; i < channel.items(); ++i)
        v[i] = groups > 1 ? channel.power(i) : step.prior_variance();
    std::vector<state_evolution_step> steps(iterations);
    for (auto& now : steps) {
        for (int i = 0; i < channel.items(); ++i)
            tau2[i] = step.output_variance(
                std::max(v[i], linear_step::variance_floor * noise_var), noise_var, i % groups);
        const auto& errors = channel.measure(tau2, divergence_free);
        double sum = 0.0;
        for (int i = 0; i < channel.items(); ++i) {
            v[i] = errors[i].message;
            sum += errors[i].estimate;
        }
        now.tau2 = std::accumulate(tau2.begin(), tau2.end(), 0.0) / channel.items();
        now.error_variance = sum / channel.items();
        const double error = now.error_variance * count * step.coefficients() + missed;
        now.nmse_db = 10.0 * std::log10(error / energy);
    }
    return steps;
}

} // namespace thzum
} // namespace gr
