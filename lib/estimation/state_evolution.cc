/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/algorithm.h"
#include "estimation/linear_step.h"
#include <algorithm>
#include <cmath>
#include <random>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

using namespace estimation;

/*! The scalar channel r = c + sqrt(tau2) n in front of the denoiser, over sample channels. */
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
          d_divergence(d_denoiser->max_batch())
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

    /*! Mean-square error per coefficient of D(r) and of the message that D(r) turns into. */
    void measure(double tau2, bool divergence_free, double& error, double& message_error)
    {
        error = message_error = 0.0;
        const int piece = d_denoiser->max_batch();
        for (int begin = 0; begin < d_count; begin += piece)
            measure_piece(begin,
                          std::min(piece, d_count - begin),
                          tau2,
                          divergence_free,
                          error,
                          message_error);
        error /= double(d_count) * d_length;
        message_error /= double(d_count) * d_length;
    }

private:
    void measure_piece(int begin,
                       int batch,
                       double tau2,
                       bool divergence_free,
                       double& error,
                       double& message_error)
    {
        std::normal_distribution<float> normal(0.0f, static_cast<float>(std::sqrt(tau2 / 2.0)));
        const gr_complex* c = &d_c[size_t(begin) * d_length];
        for (int i = 0; i < batch * d_length; ++i) {
            const float re = normal(d_generator);
            d_r[i] = c[i] + gr_complex(re, normal(d_generator));
        }
        std::fill_n(d_variance.begin(), batch, static_cast<float>(tau2));
        d_denoiser->denoise(d_r.data(),
                            d_variance.data(),
                            batch,
                            d_x.data(),
                            nullptr,
                            divergence_free ? d_divergence.data() : nullptr);
        for (int i = 0; i < batch * d_length; ++i) {
            const float alpha =
                divergence_free ? bounded_divergence(d_divergence[i / d_length]) : 0.0f;
            const gr_complex message = (d_x[i] - alpha * d_r[i]) / (1.0f - alpha);
            error += std::norm(d_x[i] - c[i]);
            message_error += std::norm(message - c[i]);
        }
    }

    denoiser::sptr d_denoiser;
    const int d_count, d_length;
    std::mt19937_64 d_generator;
    std::vector<gr_complex> d_c, d_r, d_x;
    std::vector<float> d_variance, d_divergence;
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
    const auto denoise = make_inner_denoiser(info, op, options);
    linear_step step(observation_model::make(op, denoise->dict()), kind, 1);
    scalar_channel channel(denoise, channels, count, seed);

    double energy = 0.0;
    for (size_t i = 0; i < size_t(count) * op->shape().antennas(); ++i)
        energy += std::norm(channels[i]);
    const double missed = std::max(energy - channel.energy(), 0.0);

    std::vector<state_evolution_step> steps(iterations);
    double v = step.prior_variance();
    for (auto& now : steps) {
        now.tau2 = step.output_variance(v, noise_var);
        channel.measure(now.tau2, divergence_free, now.error_variance, v);
        const double error = now.error_variance * count * step.coefficients() + missed;
        now.nmse_db = 10.0 * std::log10(error / energy);
    }
    return steps;
}

} // namespace thzum
} // namespace gr
