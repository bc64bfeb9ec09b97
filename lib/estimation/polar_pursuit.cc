/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/polar_pursuit.h"
#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

// A Gauss-Newton step that explains less than this share of noise_var has come to its end.
constexpr double gain_share = 0.02;

} // namespace

polar_pursuit::polar_pursuit(const algorithm_info& info,
                             const option_map& given,
                             const pilot_operator::sptr& op,
                             const visible_region::sptr& region,
                             const array_layout& layout,
                             const polar_pursuit_settings& settings)
    : estimator_base(info, given, observation_model::make(op, region)),
      d_settings(settings),
      d_max_atoms(settings.stages.back().max_atoms),
      d_fit(model(), region, layout, d_max_atoms),
      d_grid(d_fit, region, settings.sampling),
      d_re(size_t(d_fit.gram().subarrays()) * d_fit.gram().stride()),
      d_im(d_re.size()),
      d_paths(size_t(max_batch()) * d_max_atoms),
      d_path_count(max_batch())
{
    d_fit.limit_curvature(settings.sampling.max_curvature);
}

void polar_pursuit::run(
    gr_complex* z, float* noise_var, int batch, gr_complex* c, estimate_report* report)
{
    for (int b = 0; b < batch; ++b) {
        d_fit.load(z + size_t(b) * observations());
        for (const auto& stage : d_settings.stages)
            pursue(stage, noise_var[b]);
        if (d_fit.paths() && d_settings.final_steps)
            d_fit.refine(0, d_fit.paths(), d_settings.final_steps, gain_share * noise_var[b]);
        d_fit.synthesize(c + size_t(b) * coefficients());
        report[b].iterations = d_fit.paths();
        // What a wave off the grid leaves over is not known; only refined waves have a prediction.
        if (d_settings.final_steps)
            report[b].predicted_nmse_db =
                nmse_db(noise_var[b] * d_fit.error_per_noise() / coefficients());
        keep_paths(b);
    }
}

void polar_pursuit::pursue(const pursuit_stage& stage, double noise_var)
{
    const int last = stage.last_ring < 0 ? d_grid.rings() - 1 : stage.last_ring;
    const int rings = last - stage.first_ring + 1;
    if (rings < 1)
        return;
    const double atoms = double(rings) * d_grid.directions();
    const double threshold = noise_var * std::log(atoms / d_settings.false_alarm);
    while (d_fit.paths() < stage.max_atoms) {
        d_fit.residual(d_re.data(), d_im.data());
        const auto peak = d_grid.strongest(d_re.data(), d_im.data(), stage.first_ring, rings);
        if (peak.energy < threshold)
            return;
        d_fit.set(d_fit.paths(), peak.path);
        if (d_settings.steps)
            d_fit.refine(0, d_fit.paths(), d_settings.steps, gain_share * noise_var);
        else
            d_fit.solve();
    }
}

void polar_pursuit::keep_paths(int b)
{
    path_estimate* kept = &d_paths[size_t(b) * d_max_atoms];
    d_path_count[b] = d_fit.paths();
    for (int p = 0; p < d_fit.paths(); ++p)
        kept[p] = d_fit.describe(p);
    std::sort(
        kept, kept + d_fit.paths(), [](const auto& a, const auto& b) { return a.power > b.power; });
}

int polar_pursuit::paths(int item, path_estimate* paths, int most) const
{
    const int loaded = loaded_index(item);
    const int count = loaded < 0 ? 0 : std::min(most, d_path_count[loaded]);
    for (int k = 0; k < count; ++k) {
        const float scale = amplitude(loaded);
        paths[k] = d_paths[size_t(loaded) * d_max_atoms + k];
        paths[k].gain *= scale;
        paths[k].power *= scale * scale;
    }
    return count;
}

std::vector<option_info> polar_options()
{
    return {
        { "oversampling",
          3.0,
          "Directions per resolution cell of the whole array on each axis, 0.5 to 8." },
        { "min_distance", 4000.0, "Distance of the nearest ring, in wavelengths." },
        { "ring_cycles",
          0.25,
          "Phase from one distance ring to the next at the array's edge, in cycles, 0.01 to 10." },
        { "false_alarm", 1e-2, "Probability that noise alone passes for another wave, up to 0.5." },
        { "steps", 0.0, "Gauss-Newton steps off the grid after each new wave, 0 to 100." },
        { "final_steps", 0.0, "Gauss-Newton steps off the grid at the end, 0 to 100." },
        { "subarray_centres",
          std::vector<gr_complex>{},
          "Centre x + jy of each subarray in wavelengths; needed with more than one subarray." }
    };
}

estimator::sptr make_polar_pursuit(const algorithm_info& info,
                                   const pilot_operator::sptr& op,
                                   const option_map& options,
                                   std::vector<pursuit_stage> stages)
{
    const option_reader reader(info, options);
    const auto& shape = op->shape();
    const double spacing = reader.number("spacing", 0.01, 2.0);
    auto centres = reader.values("subarray_centres");
    if (centres.empty() && shape.n_subarrays == 1)
        centres = { 0.0f };
    if (centres.empty())
        throw std::invalid_argument(
            info.name +
            ": subarray_centres: expected one complex x + jy in wavelengths "
            "for each of " +
            std::to_string(shape.n_subarrays) +
            " subarrays, got none; in Python, array= gives them");
    const auto region =
        visible_region::make(visible_region::axis::for_spacing(shape.rows, spacing),
                             visible_region::axis::for_spacing(shape.cols, spacing));
    const polar_pursuit_settings settings = { std::move(stages),
                                              { reader.number("oversampling", 0.5, 8.0),
                                                1.0 / reader.number("min_distance", 1.0, 1e12),
                                                reader.number("ring_cycles", 0.01, 10.0) },
                                              reader.number("false_alarm", 1e-12, 0.5),
                                              reader.integer("steps", 0, 100),
                                              reader.integer("final_steps", 0, 100) };
    const auto layout = layout_of(info.name, centres, spacing, shape.n_subarrays);
    for (int s = 0; s < shape.n_subarrays; ++s)
        if (std::hypot(layout.x[s], layout.y[s]) * settings.sampling.max_curvature >= 1.0)
            throw std::invalid_argument(
                info.name + ": min_distance: expected more than the array's radius of " +
                std::to_string(std::hypot(layout.x[s], layout.y[s])) + " wavelengths, got " +
                std::to_string(1.0 / settings.sampling.max_curvature));
    return std::make_shared<polar_pursuit>(info, options, op, region, layout, settings);
}

} // namespace estimation
} // namespace thzum
} // namespace gr
