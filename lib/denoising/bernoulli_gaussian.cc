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
#include <cstdint>
#include <cstring>
#include <sstream>

namespace gr {
namespace thzum {

namespace {

constexpr float largest_energy = 1e30f; // keeps products of floats finite
constexpr float largest_log_odds = 80;  // exp() of it and its inverse are single-precision floats

/*! The posterior in single precision: a coefficient of energy q = |r|^2 / v is active with odds
 * exp(gain q - offset), and then has mean gain r and variance gain v. */
struct posterior_rule {
    float gain;
    float rest; // 1 - gain, exact where gain is close to one
    float offset;
};

/*! Prior x ~ (1 - rate) delta + rate CN(0, signal v), v the noise variance. */
struct prior {
    double rate;
    double signal;

    posterior_rule rule() const
    {
        return { static_cast<float>(signal / (1 + signal)),
                 static_cast<float>(1 / (1 + signal)),
                 static_cast<float>(std::log((1 - rate) / rate) + std::log1p(signal)) };
    }
};

/*! Sums over the coefficients of an item. */
struct activity {
    float active; // probabilities of being active
    float energy; // those times q
};

struct fit_quality {
    float variance; // posterior variances over v
    float removed;  // |x_hat - r|^2 / v
};

THZUM_MULTIVERSION
float normalised_energies(const gr_complex* r, float scale, float* energy, int count)
{
    const float* parts = reinterpret_cast<const float*>(r);
    float sum = 0;
    for (int i = 0; i < count; i++) {
        const float re = scale * parts[2 * i];
        const float im = scale * parts[2 * i + 1];
        const float q = re * re + im * im;
        energy[i] = q < largest_energy ? q : largest_energy;
        sum += energy[i];
    }
    return sum;
}

/*!
 * exp(x) for |x| <= largest_log_odds, within 3e-7 relative. Unlike std::exp() it is plain
 * arithmetic, so that the loops around it are vectorised: x = (n + f) ln 2 with |f| <= 1/2, and
 * Taylor's polynomial.
 */
__attribute__((always_inline)) inline float plain_exp(float x)
{
    constexpr float ln2 = 0.69314718f;
    constexpr int bias = 127, mantissa_bits = 23; // of a single-precision float
    const float scaled = x * (1 / ln2);
    const int n = static_cast<int>(scaled + (bias + 0.5f)) - bias; // rounds; the sum is positive
    const float y = (scaled - n) * ln2;
    const float series =
        1 + y * (1 + y / 2 * (1 + y / 3 * (1 + y / 4 * (1 + y / 5 * (1 + y / 6)))));
    const int32_t bits = (n + bias) << mantissa_bits;
    float power;
    std::memcpy(&power, &bits, sizeof(power));
    return power * series;
}

/*! Odds against a coefficient of energy q being active. */
__attribute__((always_inline)) inline float odds_against(float energy, float gain, float offset)
{
    const float log_odds = offset - gain * energy;
    const float bounded = log_odds < largest_log_odds ? log_odds : largest_log_odds;
    return plain_exp(bounded > -largest_log_odds ? bounded : -largest_log_odds);
}

THZUM_MULTIVERSION
activity expectation(const float* energy, posterior_rule rule, int count)
{
    const float gain = rule.gain, offset = rule.offset;
    float active = 0, active_energy = 0;
    for (int i = 0; i < count; i++) {
        const float probability = 1 / (1 + odds_against(energy[i], gain, offset));
        active += probability;
        active_energy += probability * energy[i];
    }
    return { active, active_energy };
}

/*! x_hat = E[x | r]; the sum of the posterior variances over v, and ||x_hat - r||^2 / v. */
THZUM_MULTIVERSION
fit_quality posterior(
    const gr_complex* r, const float* energy, posterior_rule rule, gr_complex* x_hat, int count)
{
    const float gain = rule.gain, rest = rule.rest, offset = rule.offset;
    const float* in = reinterpret_cast<const float*>(r);
    float* out = reinterpret_cast<float*>(x_hat);
    float variance = 0, removed = 0;
    for (int i = 0; i < count; i++) {
        const float against = odds_against(energy[i], gain, offset);
        const float weight = gain / (1 + against);
        const float inactive = against / (1 + against); // no cancellation, as in 1 - active
        out[2 * i] = weight * in[2 * i];
        out[2 * i + 1] = weight * in[2 * i + 1];
        variance += weight * (1 + inactive * gain * energy[i]);
        const float share = rest + gain * inactive; // 1 - weight
        removed += share * share * energy[i];
    }
    return { variance, removed };
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
            const auto rule = fit(item, variance[b]);
            const auto quality = posterior(item, d_energy.data(), rule, x_hat + b * count, count);
            // d x_hat / d r of a posterior mean is the posterior variance over the noise variance.
            const float slope = quality.variance / count;
            if (error_variance)
                error_variance[b] = variance[b] * predicted_error(quality, count);
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
    /*!
     * The posterior variance holds if the prior does. Real coefficients have tails that the prior
     * lacks, and Stein's unbiased risk estimate ||x_hat - r||^2 - K v + 2 v div sees them: the
     * larger one counts.
     */
    static float predicted_error(const fit_quality& quality, int count)
    {
        const float slope = quality.variance / count;
        return std::max(slope, quality.removed / count - 1 + 2 * slope);
    }

    /*! The rule of the prior that suits the item; leaves the normalised energies in d_energy. */
    posterior_rule fit(const gr_complex* r, float variance)
    {
        const int count = item_size();
        const float scale = 1 / std::sqrt(std::max(variance, 1e-30f));
        const float energy = normalised_energies(r, scale, d_energy.data(), count);
        const double excess = std::max(energy / count - 1.0, 1e-3);
        prior p{ d_sparsity, excess / d_sparsity };
        for (int i = 0; i < d_em_iterations; i++) {
            const auto rule = p.rule();
            const auto sums = expectation(d_energy.data(), rule, count);
            const double active = std::max<double>(sums.active, 1e-20);
            p.rate = std::clamp(active / count, 1e-6, 1 - 1e-6);
            p.signal = std::clamp(rule.gain * (rule.gain * sums.energy / active + 1), 1e-6, 1e30);
        }
        return p.rule();
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
