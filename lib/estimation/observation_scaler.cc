/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/observation_scaler.h"
#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

// Below this share of the received energy the noise drowns in float32 rounding, and singular values
// divide by nothing.
constexpr double noise_floor = 1e-12;

// Energy of z where a singular value lets the channel through; the rest of z becomes zero.
double channel_energy(gr_complex* x, const float* sigma, int count)
{
    double sum = 0.0;
    for (int i = 0; i < count; ++i) {
        if (sigma[i] == 0.0f)
            x[i] = 0.0f;
        sum += double(x[i].real()) * x[i].real() + double(x[i].imag()) * x[i].imag();
    }
    return sum;
}

} // namespace

void require_noise_variances(const float* noise_var, int batch)
{
    for (int b = 0; b < batch; ++b)
        if (!(noise_var[b] > 0.0f) || !std::isfinite(noise_var[b]))
            throw std::invalid_argument("noise_var: expected finite values above 0, got " +
                                        std::to_string(noise_var[b]));
}

observation_scaler::observation_scaler(observation_model::sptr model,
                                       double spacing,
                                       int noise_paths,
                                       int max_batch)
    : d_model(std::move(model)),
      d_spacing(spacing),
      d_noise_paths(noise_paths),
      d_max_batch(max_batch),
      d_length(static_cast<int>(d_model->singular_values().size())),
      d_observed(0),
      d_z(size_t(max_batch) * d_length),
      d_noise_var(max_batch),
      d_scaled_noise_var(max_batch),
      d_amplitude(max_batch),
      d_item(max_batch)
{
    double sum = 0.0;
    for (const float sigma : d_model->singular_values()) {
        sum += double(sigma) * sigma;
        d_observed += sigma > 0.0f;
    }
    d_channel_gain = sum * d_model->op()->shape().antennas() / d_model->coefficients();
}

void observation_scaler::estimate_noise(const gr_complex* y, int batch)
{
    if (!d_noise_level)
        d_noise_level = std::make_unique<noise_level>(d_model->op(), d_spacing, d_noise_paths);
    const size_t observations = d_model->op()->n_observations();
    for (int b = 0; b < batch; ++b)
        d_noise_var[b] = static_cast<float>(d_noise_level->estimate(y + b * observations));
}

int observation_scaler::load(const gr_complex* y, const float* noise_var, int batch)
{
    if (noise_var)
        require_noise_variances(noise_var, batch);
    d_model->observe(y, d_z.data(), nullptr, batch);
    if (noise_var)
        std::copy_n(noise_var, batch, d_noise_var.begin());
    else
        estimate_noise(y, batch);

    const float* sigma = d_model->singular_values().data();
    int loaded = 0;
    for (int b = 0; b < batch; ++b) {
        gr_complex* from = &d_z[size_t(b) * d_length];
        const double total = channel_energy(from, sigma, d_length);
        if (total == 0.0)
            continue;
        const double noise = std::max(double(d_noise_var[b]), noise_floor * total / d_observed);
        // Noise alone makes ||z||^2 - r noise_var scatter by sqrt(r) noise_var: less power than
        // that cannot be told from none.
        const double power =
            std::max(total - d_observed * noise, std::sqrt(double(d_observed)) * noise) /
            d_channel_gain;
        const double amplitude = std::sqrt(power);
        const float scale = static_cast<float>(1.0 / amplitude);
        gr_complex* to = &d_z[size_t(loaded) * d_length];
        for (int i = 0; i < d_length; ++i)
            to[i] = scale * from[i];
        d_scaled_noise_var[loaded] = static_cast<float>(noise / power);
        d_amplitude[loaded] = static_cast<float>(amplitude);
        d_item[loaded++] = b;
    }
    return loaded;
}

} // namespace estimation
} // namespace thzum
} // namespace gr
