/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/algorithm.h"
#include "estimation/subcarrier_grid.h"
#include "estimation/wideband.h"
#include <gnuradio/fft/fft.h>
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

/*!
 * fpn_oamp in the delay domain.
 *
 * The combiner does not depend on frequency, so the unitary DFT over subcarriers turns the pilots of F
 * subcarriers into those of F delay taps with the same noise. A path lights up few taps, in each of
 * which it stands alone or nearly so and far above the noise, and squint is nothing but its travel time
 * across a subarray. Each tap is estimated as a channel of its own, then weighted by w between 0 and 1,
 * the minimum of Stein's unbiased risk estimate of what the pilots see,
 *
 *     J(w) = ||u - w v||^2 + 2 w e,
 *
 * u the whitened pilots, v what they would be of the tap's estimate, e the error expected of it (see
 * automatic_estimator); a tap of noise alone comes out as zero.
 */
class wideband_fpn_oamp_estimator : public wideband_estimator
{
public:
    wideband_fpn_oamp_estimator(const algorithm_info& info,
                                const option_map& given,
                                estimator::sptr inner,
                                int subcarriers)
        : d_name(info.name),
          d_options(settings_in_force(info, given)),
          d_inner(std::move(inner)),
          d_subcarriers(subcarriers),
          d_forward(subcarriers),
          d_reverse(subcarriers),
          d_taps(size_t(subcarriers) * op()->n_observations()),
          d_u(size_t(op()->shape().n_subarrays) * op()->rank()),
          d_v(d_u.size()),
          d_noise_var(subcarriers),
          d_report(subcarriers)
    {
        for (const float gain : op()->gains())
            d_gain += double(gain) * gain / op()->shape().antennas();
    }

    std::string name() const override { return d_name; }
    const pilot_operator::sptr& op() const override { return d_inner->op(); }
    int subcarriers() const override { return d_subcarriers; }
    const option_map& options() const override { return d_options; }
    std::string repr() const override { return describe_settings(d_name, d_options); }

    void estimate(const gr_complex* y,
                  const float* noise_var,
                  int batch,
                  gr_complex* h_hat,
                  estimate_report* report) override
    {
        const size_t observed = size_t(d_subcarriers) * op()->n_observations();
        const size_t antennas = size_t(d_subcarriers) * op()->shape().antennas();
        for (int b = 0; b < batch; ++b)
            estimate_one(
                y + b * observed, noise_var ? noise_var + b : nullptr, h_hat + b * antennas, report[b]);
    }

private:
    void estimate_one(const gr_complex* y,
                      const float* noise_var,
                      gr_complex* h,
                      estimate_report& report)
    {
        const int antennas = op()->shape().antennas();
        transform(d_forward, y, d_taps.data(), op()->n_observations());
        if (noise_var)
            std::fill(d_noise_var.begin(), d_noise_var.end(), *noise_var);
        d_inner->estimate(d_taps.data(),
                          noise_var ? d_noise_var.data() : nullptr,
                          d_subcarriers,
                          h,
                          d_report.data());
        double error = 0.0, energy = 0.0, noise = 0.0;
        int iterations = 0;
        for (int d = 0; d < d_subcarriers; ++d) {
            weigh(d, h + size_t(d) * antennas, &error, &energy);
            iterations = std::max(iterations, d_report[d].iterations);
            noise += d_report[d].noise_var / d_subcarriers;
        }
        transform(d_reverse, h, h, antennas);
        constexpr float nan = std::numeric_limits<float>::quiet_NaN();
        report = { iterations, 0.0f, static_cast<float>(noise), nan, nan, {} };
        if (error > 0.0 && energy > 0.0)
            report.predicted_nmse_db = static_cast<float>(10.0 * std::log10(error / energy));
        for (int d = 0; d < d_subcarriers; ++d)
            report.residual = std::max(report.residual, d_report[d].residual);
    }

    // Unitary DFT over the subcarriers of vectors of \p length; in and out may be the same.
    template <class Transform>
    void transform(Transform& plan, const gr_complex* in, gr_complex* out, int length)
    {
        const float scale = static_cast<float>(1.0 / std::sqrt(double(d_subcarriers)));
        for (int i = 0; i < length; ++i) {
            for (int f = 0; f < d_subcarriers; ++f)
                plan.get_inbuf()[f] = scale * in[size_t(f) * length + i];
            plan.execute();
            for (int f = 0; f < d_subcarriers; ++f)
                out[size_t(f) * length + i] = plan.get_outbuf()[f];
        }
    }

    void weigh(int tap, gr_complex* h, double* error, double* energy)
    {
        const int antennas = op()->shape().antennas();
        op()->whiten(&d_taps[size_t(tap) * op()->n_observations()], d_u.data(), 1);
        op()->project(h, d_v.data(), 1);
        double along = 0.0, seen = 0.0, own = 0.0;
        for (size_t i = 0; i < d_u.size(); ++i) {
            const gr_complex v = op()->gains()[i] * d_v[i];
            along += (std::conj(v) * d_u[i]).real();
            seen += std::norm(v);
        }
        for (int i = 0; i < antennas; ++i)
            own += std::norm(h[i]);
        const double share = std::pow(10.0, 0.1 * d_report[tap].predicted_nmse_db);
        const double expected = std::isfinite(share) ? own * share : 0.0;
        const double best = seen > 0.0 ? (along - d_gain * expected) / seen : 0.0;
        const float w = static_cast<float>(std::clamp(best, 0.0, 1.0));
        for (int i = 0; i < antennas; ++i)
            h[i] *= w;
        *error += w * expected;
        *energy += w * w * own;
    }

    const std::string d_name;
    const option_map d_options;
    estimator::sptr d_inner;
    const int d_subcarriers;
    fft::fft_complex_rev d_forward; // to delays: exp(+j 2 pi f tau)
    fft::fft_complex_fwd d_reverse;
    std::vector<gr_complex> d_taps;     // [F][M]
    std::vector<gr_complex> d_u, d_v;   // [S * R]
    std::vector<float> d_noise_var;     // [F]
    std::vector<estimate_report> d_report;
    double d_gain = 0.0; // energy that the pilots see of a channel, over its energy, on average
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
    const subcarrier_grid grid(band.frequencies,
                               band.carrier_frequency,
                               reader.number("spacing", 0.01, 2.0) *
                                   std::max(shape.rows, shape.cols));
    return std::make_shared<wideband_fpn_oamp_estimator>(
        info, options, make_estimator("fpn_oamp", op, options), grid.count);
}

} // namespace

wideband_algorithm wideband_fpn_oamp()
{
    auto info = inner_info();
    info.description = "Fixed-point network in the delay domain, one delay tap at a time";
    return { info, make };
}

} // namespace estimation
} // namespace thzum
} // namespace gr
