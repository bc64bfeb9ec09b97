/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/band_fit.h"
#include "estimation/band_search.h"
#include "estimation/observation_scaler.h"
#include "estimation/wideband.h"
#include <algorithm>
#include <cmath>
#include <limits>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

// A step that explains less than this share of noise_var has come to its end.
constexpr double gain_share = 0.02;

const std::vector<std::string> gain_models = { "delay", "free" };

struct band_pursuit_settings {
    bool has_delays;
    int max_paths;
    double false_alarm;
    int steps, final_steps;
    double max_curvature;
};

/*!
 * Newtonized orthogonal matching pursuit over a band: newtonized_omp with directions, and delays,
 * shared by all subcarriers. Each path costs as many parameters as it has at one subcarrier and one
 * delay per subarray, so that the error falls with the number of subcarriers.
 */
class wideband_newtonized_omp_estimator : public wideband_base
{
public:
    wideband_newtonized_omp_estimator(const algorithm_info& info,
                                      const option_map& given,
                                      const observation_model::sptr& model,
                                      const visible_region::sptr& region,
                                      const array_layout& layout,
                                      const subcarrier_grid& grid,
                                      const band_pursuit_settings& settings)
        : wideband_base(info, given, grid.count),
          d_settings(settings),
          d_scaler(model, layout.spacing * grid.highest_ratio(), default_noise_paths, grid.count),
          d_fit(model, region, layout, grid, settings.has_delays, settings.max_paths),
          d_search(d_fit.gram(), region, layout.spacing, grid, settings.has_delays),
          d_threshold(d_search.threshold(settings.false_alarm)),
          d_noise_var(grid.count),
          d_measured(grid.count),
          d_z(size_t(grid.count) * model->singular_values().size()),
          d_c(size_t(grid.count) * model->coefficients()),
          d_re(d_c.size() / d_fit.gram().size() * d_fit.gram().stride()),
          d_im(d_re.size()),
          d_delay(d_fit.gram().subarrays())
    {
        d_fit.limit_curvature(settings.max_curvature);
    }

    const pilot_operator::sptr& op() const override { return d_scaler.model()->op(); }

    void estimate(const gr_complex* y,
                  const float* noise_var,
                  int batch,
                  gr_complex* h_hat,
                  estimate_report* report) override
    {
        const size_t observed = size_t(subcarriers()) * op()->n_observations();
        const size_t antennas = size_t(subcarriers()) * op()->shape().antennas();
        for (int b = 0; b < batch; ++b)
            estimate_one(y + b * observed,
                         noise_var ? noise_var + b : nullptr,
                         h_hat + b * antennas,
                         report[b]);
    }

private:
    void estimate_one(const gr_complex* y,
                      const float* noise_var,
                      gr_complex* h_hat,
                      estimate_report& report)
    {
        const size_t count = size_t(subcarriers()) * op()->shape().antennas();
        constexpr float nan = std::numeric_limits<float>::quiet_NaN();
        double variance = 0.0;
        const double amplitude = load(y, noise_var, &variance);
        report = { 0, 0.0f, static_cast<float>(variance * amplitude * amplitude), nan, nan, {} };
        std::fill_n(h_hat, count, gr_complex(0.0f));
        if (amplitude == 0.0)
            return;
        pursue(variance);
        d_fit.refine(d_settings.final_steps, gain_share * variance);
        d_fit.synthesize(d_c.data());
        d_scaler.model()->dict()->synthesize(
            d_c.data(), h_hat, subcarriers() * d_fit.gram().subarrays());
        double energy = 0.0;
        for (size_t i = 0; i < count; ++i) {
            energy += std::norm(h_hat[i]);
            h_hat[i] *= static_cast<float>(amplitude);
        }
        report.iterations = d_fit.paths();
        if (energy > 0.0)
            report.predicted_nmse_db =
                static_cast<float>(10.0 * std::log10(variance * d_fit.error_per_noise() / energy));
    }

    // Loads all subcarriers at one scale, at which the channel has unit power on average. Returns
    // the factor back to the receiver's, zero if nothing was measured.
    double load(const gr_complex* y, const float* noise_var, double* variance)
    {
        if (noise_var)
            std::fill(d_noise_var.begin(), d_noise_var.end(), *noise_var);
        const int loaded =
            d_scaler.load(y, noise_var ? d_noise_var.data() : nullptr, subcarriers());
        std::fill(d_measured.begin(), d_measured.end(), 0);
        double power = 0.0, noise = 0.0;
        for (int i = 0; i < loaded; ++i) {
            power += double(d_scaler.amplitude(i)) * d_scaler.amplitude(i) / loaded;
            noise += double(d_scaler.scaled_noise_var()[i]) * d_scaler.amplitude(i) *
                     d_scaler.amplitude(i) / loaded;
        }
        if (loaded == 0)
            return 0.0;
        const double amplitude = std::sqrt(power);
        const size_t length = d_z.size() / subcarriers();
        for (int i = 0; i < loaded; ++i) {
            const int f = d_scaler.item(i);
            const float scale = static_cast<float>(d_scaler.amplitude(i) / amplitude);
            d_measured[f] = 1;
            for (size_t k = 0; k < length; ++k)
                d_z[f * length + k] = scale * d_scaler.z()[i * length + k];
        }
        d_fit.load(d_z.data(), d_measured);
        *variance = noise / power;
        return amplitude;
    }

    void pursue(double noise_var)
    {
        while (d_fit.paths() < d_settings.max_paths) {
            d_fit.residual(d_re.data(), d_im.data());
            const auto peak = d_search.strongest(d_re.data(), d_im.data(), d_measured, d_delay);
            if (peak.energy < noise_var * d_threshold)
                return;
            d_fit.set(d_fit.paths(), { peak.ux, peak.uy, 0.0 }, d_delay.data());
            d_fit.refine(d_settings.steps, gain_share * noise_var);
        }
    }

    const band_pursuit_settings d_settings;
    observation_scaler d_scaler;
    band_fit d_fit;
    band_search d_search;
    const double d_threshold;
    std::vector<float> d_noise_var;
    std::vector<char> d_measured;
    std::vector<gr_complex> d_z;    // [F][S*r]
    std::vector<gr_complex> d_c;    // [F][S*k]
    volk::vector<float> d_re, d_im; // residual [S][F][stride]
    std::vector<double> d_delay;    // [S]
};

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
    const double widest = spacing * grid.highest_ratio();
    const auto region = visible_region::make(visible_region::axis::for_spacing(shape.rows, widest),
                                             visible_region::axis::for_spacing(shape.cols, widest));
    const band_pursuit_settings settings = { grid.count > 1 &&
                                                 reader.choice("gains", gain_models) == "delay",
                                             reader.integer("max_paths", 1, 64),
                                             reader.number("false_alarm", 1e-12, 0.5),
                                             reader.integer("steps", 0, 100),
                                             reader.integer("final_steps", 0, 100),
                                             1.0 / reader.number("min_distance", 1.0, 1e12) };
    return std::make_shared<wideband_newtonized_omp_estimator>(
        info,
        options,
        observation_model::make(op, region),
        region,
        layout_of(info.name, reader.values("subarray_centres"), spacing, shape.n_subarrays),
        grid,
        settings);
}

} // namespace

wideband_algorithm wideband_newtonized_omp()
{
    return {
        { "newtonized_omp",
          "Newtonized OMP over the band: directions and delays common to all subcarriers",
          { { "gains",
              std::string("delay"),
              "Over the band, in each subarray: \"delay\", turning with one delay per path, or "
              "\"free\"." },
            { "max_paths", 12.0, "Paths at most, 1 to 64." },
            { "false_alarm",
              1e-2,
              "Probability that noise alone passes for another path, up to 0.5." },
            { "steps", 3.0, "Gauss-Newton steps after each new path, 0 to 100." },
            { "final_steps", 8.0, "Gauss-Newton steps at the end, 0 to 100." },
            { "subarray_centres",
              std::vector<gr_complex>{},
              "Centre x + jy of each subarray in wavelengths of the carrier; without them waves "
              "are "
              "plane over the array." },
            { "min_distance",
              1000.0,
              "Nearest source that a path may have, in wavelengths of the carrier." },
            { "spacing", 0.2, "Element spacing in wavelengths of the carrier, 0.01 to 2." } } },
        make
    };
}

} // namespace estimation
} // namespace thzum
} // namespace gr
