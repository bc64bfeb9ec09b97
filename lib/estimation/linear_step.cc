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

linear_step::linear_step(observation_model::sptr model,
                         linear_kind kind,
                         int max_batch,
                         int groups)
    : d_model(std::move(model)),
      d_kind(kind),
      d_groups(groups),
      d_length(static_cast<int>(d_model->singular_values().size()) / groups),
      d_gain(groups, 0.0),
      d_observed(groups, 0),
      d_seen(groups, 0),
      d_weights(d_model->singular_values().size()),
      d_singular(size_t(max_batch) * d_model->singular_values().size())
{
    const auto& s = d_model->singular_values();
    for (size_t i = 0; i < s.size(); ++i) {
        d_gain[i / d_length] += double(s[i]) * s[i];
        d_observed[i / d_length] += s[i] > 0.0f;
    }
    const int subarrays = d_model->op()->shape().n_subarrays, rank = d_model->rank();
    for (int i = 0; i < subarrays; ++i)
        if (std::any_of(&s[size_t(i) * rank], &s[size_t(i) * rank] + rank, [](float x) { return x > 0; }))
            d_seen[i * groups / subarrays] += coefficients() / subarrays;
}

double linear_step::prior_variance() const
{
    return double(d_model->op()->shape().antennas()) / coefficients();
}

void linear_step::set_weights(double v, double noise_var, int group)
{
    const auto& all = d_model->singular_values();
    const float largest = *std::max_element(all.begin(), all.end());
    const float* s = &all[size_t(group) * d_length];
    float* weights = &d_weights[size_t(group) * d_length];
    for (int i = 0; i < d_length; ++i) {
        if (d_kind == linear_kind::lmmse)
            weights[i] = static_cast<float>(s[i] * v / (double(s[i]) * s[i] * v + noise_var));
        else if (d_kind == linear_kind::matched)
            weights[i] = s[i];
        else
            weights[i] = s[i] > 1e-6f * largest ? 1.0f / s[i] : 0.0f;
    }
}

double linear_step::normalisation(int group) const
{
    const float* s = &d_model->singular_values()[size_t(group) * d_length];
    const float* weights = &d_weights[size_t(group) * d_length];
    double trace = 0.0;
    for (int i = 0; i < d_length; ++i)
        trace += double(weights[i]) * s[i];
    return trace > 0.0 ? d_seen[group] / trace : 0.0;
}

double linear_step::output_variance(double v, double noise_var, int group)
{
    set_weights(v, noise_var, group);
    const float* s = &d_model->singular_values()[size_t(group) * d_length];
    const float* weights = &d_weights[size_t(group) * d_length];
    const double eta = normalisation(group);
    if (eta == 0.0)
        return v;
    double sum = 0.0;
    for (int i = 0; i < d_length; ++i)
        sum += double(weights[i]) * weights[i] * (double(s[i]) * s[i] * v + noise_var);
    return std::max(eta * eta / d_seen[group] * sum - v, double(FLT_MIN));
}

// From nothing, one group knows its power to be that of the prior; of a subarray the pilots tell it.
double linear_step::error_variance(double energy, double noise_var, bool from_zero, int group) const
{
    if ((from_zero && d_groups == 1) || d_gain[group] == 0.0)
        return prior_variance();
    const double reading = (energy - d_observed[group] * noise_var) / d_gain[group];
    return std::max(reading, variance_floor * noise_var);
}

void linear_step::run(const gr_complex* z,
                      const float* noise_var,
                      const gr_complex* x,
                      int batch,
                      gr_complex* r,
                      float* tau2)
{
    const auto& s = d_model->singular_values();
    if (x)
        d_model->to_singular(x, d_singular.data(), batch);
    else
        std::fill_n(d_singular.begin(), batch * s.size(), gr_complex(0.0f));

    for (int b = 0; b < batch; ++b)
        for (int g = 0; g < d_groups; ++g) {
            const size_t own = size_t(g) * d_length, at = b * s.size() + own;
            float* e = floats(&d_singular[at]);
            const double energy = residual(floats(z + at), &s[own], e, d_length);
            const double v = error_variance(energy, noise_var[b], !x, g);
            tau2[b * d_groups + g] = static_cast<float>(output_variance(v, noise_var[b], g));
            apply_weights(&d_weights[own], static_cast<float>(normalisation(g)), e, d_length);
        }
    d_model->from_singular(d_singular.data(), r, batch);
    if (x)
        accumulate(floats(x), floats(r), 2 * batch * coefficients());
}

} // namespace estimation
} // namespace thzum
} // namespace gr
