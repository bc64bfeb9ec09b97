/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "denoising/denoiser_base.h"
#include <volk/volk_alloc.hh>
#include <algorithm>
#include <cmath>
#include <sstream>

namespace gr {
namespace thzum {

namespace {

constexpr float largest_energy = 1e30f; // keeps products of floats finite
constexpr float largest_log_odds = 80;  // exp() of it is finite in single precision

/*!
 * Prior x ~ (1 - rate) delta + rate CN(0, signal); energies in units of the noise variance.
 * A coefficient of energy q = |r|^2 / v is active with probability 1 / (1 + exp(offset - gain q)).
 */
struct prior {
    double rate;
    double signal;

    float gain() const { return signal / (1 + signal); }
    float offset() const { return std::log((1 - rate) / rate) + std::log1p(signal); }
};

struct posterior_sums {
    float active = 0; // sum of the probabilities
    float energy = 0; // sum of probability times q
};

THZUM_MULTIVERSION
float normalised_energies(const gr_complex* r, float inverse_variance, float* energy, int count)
{
    const float* parts = reinterpret_cast<const float*>(r);
    const float scale = std::sqrt(inverse_variance);
    float sum = 0;
    for (int i = 0; i < count; i++) {
        const float re = scale * parts[2 * i];
        const float im = scale * parts[2 * i + 1];
        energy[i] = std::min(re * re + im * im, largest_energy);
        sum += energy[i];
    }
    return sum;
}

inline float active_probability(float energy, float gain, float offset)
{
    const float log_odds = std::clamp(gain * energy - offset, -largest_log_odds, largest_log_odds);
    return 1 / (1 + std::exp(-log_odds));
}

THZUM_MULTIVERSION
posterior_sums expectation(const float* energy, float gain, float offset, int count)
{
    posterior_sums sums;
    for (int i = 0; i < count; i++) {
        const float active = active_probability(energy[i], gain, offset);
        sums.active += active;
        sums.energy += active * energy[i];
    }
    return sums;
}

/*! x_hat = E[x | r]; returns the sum of the posterior variances over v. */
THZUM_MULTIVERSION
float posterior(const gr_complex* r,
                const float* energy,
                float gain,
                float offset,
                gr_complex* x_hat,
                int count)
{
    const float* in = reinterpret_cast<const float*>(r);
    float* out = reinterpret_cast<float*>(x_hat);
    float variance = 0;
    for (int i = 0; i < count; i++) {
        const float active = active_probability(energy[i], gain, offset);
        const float weight = active * gain;
        // 1 - active without cancellation, so that the product with a large energy stays exact.
        const float inactive = active_probability(-energy[i], gain, -offset);
        out[2 * i] = weight * in[2 * i];
        out[2 * i + 1] = weight * in[2 * i + 1];
        variance += weight * (1 + inactive * gain * energy[i]);
    }
    return variance;
}

/*!
 * Posterior mean under a Bernoulli-Gaussian prior whose rate and variance are fitted to each item
 * by expectation maximisation (Vila and Schniter, IEEE Trans. Signal Process. 2013).
 */
class bernoulli_gaussian : public denoiser_base
{
public:
    bernoulli_gaussian(const denoiser_settings& settings,
                       dictionary::sptr dict,
                       int em_iterations,
                       double sparsity)
        : denoiser_base("bernoulli_gaussian", settings, std::move(dict)),
          d_em_iterations(em_iterations),
          d_sparsity(sparsity),
          d_energy(item_size())
    {
    }

    void denoise(const gr_complex* r,
                 const float* variance,
                 int batch,
                 gr_complex* x_hat,
                 float* error_variance,
                 float* divergence) override
    {
        check(variance, batch);
        const int count = item_size();
        for (int b = 0; b < batch; b++) {
            const auto* item = r + b * count;
            const auto fitted = fit(item, variance[b]);
            // d x_hat / d r of a posterior mean is the posterior variance over the noise variance.
            const float slope = posterior(item,
                                          d_energy.data(),
                                          fitted.gain(),
                                          fitted.offset(),
                                          x_hat + b * count,
                                          count) /
                                count;
            if (error_variance)
                error_variance[b] = slope * variance[b];
            if (divergence)
                divergence[b] = slope;
        }
    }

    std::string repr() const override
    {
        std::ostringstream out;
        out << repr_head() << ", em_iterations=" << d_em_iterations << ", sparsity=" << d_sparsity
            << ")";
        return out.str();
    }

private:
    /*! The prior that suits the item; leaves the normalised energies in d_energy. */
    prior fit(const gr_complex* r, float variance)
    {
        const int count = item_size();
        const float energy =
            normalised_energies(r, 1 / std::max(variance, 1e-30f), d_energy.data(), count);
        const double excess = std::max(energy / count - 1.0, 1e-3);
        prior p{ d_sparsity, excess / d_sparsity };
        for (int i = 0; i < d_em_iterations; i++) {
            const double gain = p.gain();
            const auto sums = expectation(d_energy.data(), gain, p.offset(), count);
            const double active = std::max<double>(sums.active, 1e-20);
            p.rate = std::clamp(active / count, 1e-6, 1 - 1e-6);
            p.signal = std::clamp(gain * (gain * sums.energy / active + 1), 1e-6, 1e30);
        }
        return p;
    }

    int d_em_iterations;
    double d_sparsity;
    volk::vector<float> d_energy; // |r|^2 / v of the item at hand
};

denoiser::sptr make(const denoiser_settings& settings, const option_reader& options)
{
    return std::make_shared<bernoulli_gaussian>(settings,
                                                make_dictionary(settings, options),
                                                options.integer("em_iterations", 0, 1000),
                                                options.number("sparsity", 1e-4, 0.99));
}

} // namespace

denoiser_entry bernoulli_gaussian_entry()
{
    return {
        { "bernoulli_gaussian",
          "posterior mean under a Bernoulli-Gaussian prior fitted to each item by EM",
          { dictionary_option("dft"),
            { "em_iterations", 10.0, "rounds of expectation maximisation, 0 to 1000" },
            { "sparsity", 0.1, "share of non-zero coefficients to start from, 0.0001 to 0.99" } } },
        &make
    };
}

} // namespace thzum
} // namespace gr
