/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "estimation/linear_step.h"
#include <algorithm>
#include <cfloat>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

// Complex vectors travel as interleaved floats, which is what the vectoriser understands.

// e = z - s q in place of q; returns ||e||^2.
THZUM_MULTIVERSION float residual(const float* z, const float* s, float* q, int count)
{
    float energy = 0.0f;
    for (int i = 0; i < count; ++i) {
        q[2 * i] = z[2 * i] - s[i] * q[2 * i];
        q[2 * i + 1] = z[2 * i + 1] - s[i] * q[2 * i + 1];
        energy += q[2 * i] * q[2 * i] + q[2 * i + 1] * q[2 * i + 1];
    }
    return energy;
}

// e *= scale w.
THZUM_MULTIVERSION void apply_weights(const float* w, float scale, float* e, int count)
{
    for (int i = 0; i < count; ++i) {
        e[2 * i] *= scale * w[i];
        e[2 * i + 1] *= scale * w[i];
    }
}

THZUM_MULTIVERSION void accumulate(const float* x, float* r, int count)
{
    for (int i = 0; i < count; ++i)
        r[i] += x[i];
}

float* floats(gr_complex* x) { return reinterpret_cast<float*>(x); }
const float* floats(const gr_complex* x) { return reinterpret_cast<const float*>(x); }

} // namespace

const std::vector<std::string>& linear_kind_names()
{
    static const std::vector<std::string> names = { "lmmse", "matched", "pinv" };
    return names;
}

linear_kind linear_kind_of(const std::string& name)
{
    const auto& names = linear_kind_names();
    return static_cast<linear_kind>(std::find(names.begin(), names.end(), name) - names.begin());
}

linear_step::linear_step(observation_model::sptr model, linear_kind kind, int max_batch)
    : d_model(std::move(model)),
      d_kind(kind),
      d_gain(0.0),
      d_observed(0),
      d_weights(d_model->singular_values().size()),
      d_singular(size_t(max_batch) * d_model->singular_values().size())
{
    for (const float s : d_model->singular_values()) {
        d_gain += double(s) * s;
        d_observed += s > 0.0f;
    }
}

double linear_step::prior_variance() const
{
    return double(d_model->op()->shape().antennas()) / coefficients();
}

void linear_step::set_weights(double v, double noise_var)
{
    const auto& s = d_model->singular_values();
    const float largest = *std::max_element(s.begin(), s.end());
    for (size_t i = 0; i < s.size(); ++i) {
        if (d_kind == linear_kind::lmmse)
            d_weights[i] = static_cast<float>(s[i] * v / (double(s[i]) * s[i] * v + noise_var));
        else if (d_kind == linear_kind::matched)
            d_weights[i] = s[i];
        else
            d_weights[i] = s[i] > 1e-6f * largest ? 1.0f / s[i] : 0.0f;
    }
}

double linear_step::normalisation() const
{
    const auto& s = d_model->singular_values();
    double trace = 0.0;
    for (size_t i = 0; i < s.size(); ++i)
        trace += double(d_weights[i]) * s[i];
    return coefficients() / trace;
}

double linear_step::output_variance(double v, double noise_var)
{
    set_weights(v, noise_var);
    const auto& s = d_model->singular_values();
    const double eta = normalisation();
    double sum = 0.0;
    for (size_t i = 0; i < s.size(); ++i)
        sum += double(d_weights[i]) * d_weights[i] * (double(s[i]) * s[i] * v + noise_var);
    return std::max(eta * eta / coefficients() * sum - v, double(FLT_MIN));
}

void linear_step::run(const gr_complex* z,
                      const float* noise_var,
                      const gr_complex* x,
                      int batch,
                      gr_complex* r,
                      float* tau2)
{
    const auto& s = d_model->singular_values();
    const int length = static_cast<int>(s.size());
    if (x)
        d_model->to_singular(x, d_singular.data(), batch);
    else
        std::fill_n(d_singular.begin(), size_t(batch) * length, gr_complex(0.0f));

    for (int b = 0; b < batch; ++b) {
        float* e = floats(&d_singular[size_t(b) * length]);
        const double energy = residual(floats(z + size_t(b) * length), s.data(), e, length);
        const double reading = (energy - d_observed * double(noise_var[b])) / d_gain;
        const double v = x ? std::max(reading, variance_floor * noise_var[b]) : prior_variance();
        tau2[b] = static_cast<float>(output_variance(v, noise_var[b]));
        apply_weights(d_weights.data(), static_cast<float>(normalisation()), e, length);
    }
    d_model->from_singular(d_singular.data(), r, batch);
    if (x)
        accumulate(floats(x), floats(r), 2 * batch * coefficients());
}

} // namespace estimation
} // namespace thzum
} // namespace gr
