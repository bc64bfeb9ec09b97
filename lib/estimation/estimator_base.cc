/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/estimator_base.h"
#include <algorithm>
#include <cmath>
#include <limits>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

int batch_limit(const algorithm_info& info, const option_map& given)
{
    return option_reader(info, given).integer("max_batch", 1, 4096);
}

double element_spacing(const algorithm_info& info, const option_map& given)
{
    return option_reader(info, given).number("spacing", 0.01, 2.0);
}

int noise_paths(const algorithm_info& info, const option_map& given)
{
    return option_reader(info, given).integer("noise_paths", 0, 64);
}

estimate_report one_shot(float noise_var)
{
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    return { 1, 0.0f, noise_var, nan, nan, {} };
}

} // namespace

estimator_base::estimator_base(const algorithm_info& info,
                               const option_map& given,
                               observation_model::sptr model)
    : d_name(info.name),
      d_options(settings_in_force(info, given)),
      d_scaler(std::move(model),
               element_spacing(info, given),
               noise_paths(info, given),
               batch_limit(info, given)),
      d_c(size_t(max_batch()) * coefficients()),
      d_h(size_t(max_batch()) * op()->shape().antennas()),
      d_report(max_batch())
{
}

float estimator_base::nmse_db(double error_variance) const
{
    const double share = error_variance * coefficients() / op()->shape().antennas();
    return share > 0.0 ? static_cast<float>(10.0 * std::log10(share))
                       : std::numeric_limits<float>::quiet_NaN();
}

int estimator_base::loaded_index(int item) const
{
    for (int i = 0; i < d_loaded; ++i)
        if (d_scaler.item(i) == item)
            return i;
    return -1;
}

void estimator_base::estimate(const gr_complex* y,
                              const float* noise_var,
                              int batch,
                              gr_complex* h_hat,
                              estimate_report* report)
{
    track(y, noise_var, batch, h_hat, report, nullptr);
}

void estimator_base::track(const gr_complex* y,
                           const float* noise_var,
                           int batch,
                           gr_complex* h_hat,
                           estimate_report* report,
                           float* const* state)
{
    const size_t observed = op()->n_observations(), antennas = op()->shape().antennas();
    for (int begin = 0; begin < batch; begin += max_batch()) {
        d_states = state ? state + begin : nullptr;
        estimate_piece(y + begin * observed,
                       noise_var ? noise_var + begin : nullptr,
                       std::min(max_batch(), batch - begin),
                       h_hat + begin * antennas,
                       report + begin);
    }
}

void estimator_base::estimate_piece(const gr_complex* y,
                                    const float* noise_var,
                                    int batch,
                                    gr_complex* h_hat,
                                    estimate_report* report)
{
    const size_t antennas = op()->shape().antennas();
    const int loaded = d_loaded = d_scaler.load(y, noise_var, batch);
    for (int i = 0; i < loaded; ++i)
        d_report[i] = one_shot(0.0f);
    if (loaded > 0)
        run(d_scaler.z(), d_scaler.scaled_noise_var(), loaded, d_c.data(), d_report.data());
    model()->dict()->synthesize(d_c.data(), d_h.data(), loaded * op()->shape().n_subarrays);

    std::fill(h_hat, h_hat + batch * antennas, gr_complex(0.0f));
    for (int b = 0; b < batch; ++b)
        report[b] = one_shot(d_scaler.noise_var(b));
    for (int i = 0; i < loaded; ++i) {
        const int b = d_scaler.item(i);
        const float amplitude = d_scaler.amplitude(i);
        for (size_t n = 0; n < antennas; ++n)
            h_hat[b * antennas + n] = amplitude * d_h[i * antennas + n];
        report[b] = d_report[i];
        report[b].noise_var = d_scaler.noise_var(b);
        if (report[b].steps == 0)
            report[b].steps = report[b].iterations;
    }
}

} // namespace estimation
} // namespace thzum
} // namespace gr
