/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/delay_subspace.h"
#include "estimation/subcarrier_grid.h"
#include "estimation/wideband.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

constexpr int fewest_to_smooth = 4; // subcarriers

/*!
 * fpn_oamp at each subcarrier, then smoothing of every subarray over the band by delay_subspace.
 *
 * What the network leaves at different subcarriers comes from independent noise, while the channel
 * has few delays. The order matters: the network sees noise that is white, as in its training, and
 * has by then made weak paths stand out for the subspace.
 */
class wideband_fpn_oamp_estimator : public wideband_base
{
public:
    wideband_fpn_oamp_estimator(const algorithm_info& info,
                                const option_map& given,
                                estimator::sptr inner,
                                int subcarriers,
                                int dimensions)
        : wideband_base(info, given, subcarriers),
          d_inner(std::move(inner)),
          d_dimensions(dimensions),
          d_smoother(subcarriers, op()->shape().elements()),
          d_noise_var(subcarriers),
          d_report(subcarriers)
    {
    }

    const pilot_operator::sptr& op() const override { return d_inner->op(); }

    void estimate(const gr_complex* y,
                  const float* noise_var,
                  int batch,
                  gr_complex* h_hat,
                  estimate_report* report) override
    {
        const size_t observed = size_t(subcarriers()) * op()->n_observations();
        const size_t antennas = size_t(subcarriers()) * op()->shape().antennas();
        for (int b = 0; b < batch; ++b) {
            if (noise_var)
                std::fill(d_noise_var.begin(), d_noise_var.end(), noise_var[b]);
            gr_complex* h = h_hat + b * antennas;
            d_inner->estimate(y + b * observed,
                              noise_var ? d_noise_var.data() : nullptr,
                              subcarriers(),
                              h,
                              d_report.data());
            report[b] = smooth(h);
        }
    }

private:
    estimate_report smooth(gr_complex* h)
    {
        const auto& shape = op()->shape();
        const size_t antennas = shape.antennas();
        constexpr float nan = std::numeric_limits<float>::quiet_NaN();
        estimate_report report = { 0, 0.0f, 0.0f, nan, nan, {} };
        double error = 0.0, energy = 0.0;
        bool is_whole = subcarriers() >= fewest_to_smooth;
        for (int f = 0; f < subcarriers(); ++f) {
            const auto& own = d_report[f];
            double power = 0.0;
            for (size_t i = 0; i < antennas; ++i)
                power += std::norm(h[f * antennas + i]);
            const double share = std::pow(10.0, 0.1 * own.predicted_nmse_db);
            is_whole = is_whole && power > 0.0 && std::isfinite(share);
            if (power > 0.0)
                error += share * power;
            energy += power;
            report.iterations = std::max(report.iterations, own.iterations);
            report.residual = std::max(report.residual, own.residual);
            report.noise_var += own.noise_var / subcarriers();
        }
        if (is_whole) {
            const double variance = error / (double(subcarriers()) * antennas);
            double left = 0.0; // summed over the subarrays
            for (int s = 0; s < shape.n_subarrays; ++s)
                left += d_smoother.smooth(
                    h + size_t(s) * shape.elements(), antennas, d_dimensions, variance);
            error = left * subcarriers() * shape.elements();
        }
        if (energy > 0.0 && error > 0.0)
            report.predicted_nmse_db = static_cast<float>(10.0 * std::log10(error / energy));
        return report;
    }

    estimator::sptr d_inner;
    const int d_dimensions;
    delay_subspace d_smoother;
    std::vector<float> d_noise_var;        // [F]
    std::vector<estimate_report> d_report; // [F]
};

algorithm_info inner_info()
{
    for (const auto& info : estimators())
        if (info.name == "fpn_oamp")
            return info;
    throw std::logic_error("no estimator fpn_oamp");
}

wideband_estimator::sptr make(const algorithm_info& info,
                              const pilot_operator::sptr& op,
                              const band& band,
                              const option_map& options)
{
    const option_reader reader(info, options);
    const auto& shape = op->shape();
    const double spacing = reader.number("spacing", 0.01, 2.0);
    const subcarrier_grid grid(
        band.frequencies, band.carrier_frequency, spacing * std::max(shape.rows, shape.cols));
    const auto visible = dictionary::make("visible_region", shape.rows, shape.cols, spacing);
    return std::make_shared<wideband_fpn_oamp_estimator>(info,
                                                         options,
                                                         make_estimator("fpn_oamp", op, options),
                                                         grid.count,
                                                         visible->coefficients());
}

} // namespace

wideband_algorithm wideband_fpn_oamp()
{
    auto info = inner_info();
    info.description =
        "Fixed-point network at each subcarrier, smoothed over the band by its delays";
    return { info, make };
}

} // namespace estimation
} // namespace thzum
} // namespace gr
