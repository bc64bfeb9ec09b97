/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/estimator_base.h"
#include "estimation/false_alarm.h"
#include "estimation/path_fit.h"
#include "estimation/unexplained_energy.h"
#include "estimation/wave_search.h"
#include "estimation/wavefront_fit.h"
#include "estimation/wavefront_search.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

// A step that explains less than this share of noise_var has come to its end: a parameter at its
// optimum explains half of noise_var by chance alone.
constexpr double gain_share = 0.02;

constexpr int most_finalists = 4; // wavefronts of a path that take more than one step

// A tracked channel has jumped where its old paths leave a peak this many times the threshold.
constexpr double jump = 4.0;

// A tracked channel starts over after so many frames, so that a wavefront once taken for its
// neighbour, which fits nearly as well, does not stay for good.
constexpr float frames_per_start = 16.0f;

/*! What is kept of a stream: this, then the paths. As floats, so that all zero means nothing. */
struct tracked_head {
    float paths_plus_one, cold_steps, frames;
};

struct tracked_path {
    float coherent, ux, uy, curvature;
};

constexpr int head_size = sizeof(tracked_head) / sizeof(float);
constexpr int path_size = sizeof(tracked_path) / sizeof(float);

struct pursuit_settings {
    int max_paths;
    double false_alarm;
    int steps;       // after each new path
    int final_steps; // at the end
    bool coherent;
    int candidates;
    double max_curvature;
};

struct wavefront_tools {
    wavefront_search search;
    wavefront_fit fit;
};

/*!
 * Newtonized orthogonal matching pursuit (Mamandipoor, Ramasamy, Madhow, IEEE Trans. Signal
 * Process. 2016) for arrays of subarrays.
 *
 * Paths are found one by one at the peak of the residual's spectrum, added over the subarrays, and
 * all directions are refined together after each. Directions are shared by the subarrays. Gains are
 * free in each at first; where the places of the subarrays are known, a path then becomes coherent,
 * with one gain and a spherical wavefront, if that explains the pilots as well as its fewer
 * parameters should. The wavefronts that come into question are compared on the path's reduced
 * normal equations (wavefront_fit).
 */
class newtonized_omp_estimator : public estimator_base
{
public:
    newtonized_omp_estimator(const algorithm_info& info,
                             const option_map& given,
                             const observation_model::sptr& model,
                             const visible_region::sptr& region,
                             const array_layout& layout,
                             const pursuit_settings& settings)
        : estimator_base(info, given, model),
          d_settings(settings),
          d_fit(model, region, layout, settings.max_paths),
          d_search(d_fit.gram(), region, layout.spacing),
          d_threshold(
              detection_threshold(d_search.cells(), d_fit.live_subarrays(), settings.false_alarm)),
          d_beam_x(1.0 / (region->col_axis().size * layout.spacing)),
          d_beam_y(1.0 / (region->row_axis().size * layout.spacing)),
          d_re(size_t(d_fit.gram().subarrays()) * d_fit.gram().stride()),
          d_im(d_re.size()),
          d_paths(size_t(max_batch()) * settings.max_paths),
          d_path_count(max_batch()),
          d_order(settings.max_paths),
          d_power(settings.max_paths),
          d_reduced(d_fit.gram().subarrays(), settings.max_paths),
          d_candidates(settings.candidates),
          d_trials(settings.candidates)
    {
        d_fit.limit_curvature(settings.max_curvature);
        const auto& sigma = this->model()->singular_values();
        d_seen = static_cast<int>(
            std::count_if(sigma.begin(), sigma.end(), [](float s) { return s > 0; }));
        if (settings.coherent && d_fit.live_subarrays() > 1)
            d_wavefronts = std::make_unique<wavefront_tools>(
                wavefront_tools{ { layout, region->rows(), region->cols(), settings.max_curvature },
                                 { layout, d_fit.limits(), settings.max_paths } });
    }

    int state_size() const override { return head_size + path_size * d_settings.max_paths; }

    int paths(int item, path_estimate* paths, int most) const override
    {
        const int loaded = loaded_index(item);
        const int count = loaded < 0 ? 0 : std::min(most, d_path_count[loaded]);
        for (int k = 0; k < count; ++k) {
            const float scale = amplitude(loaded);
            paths[k] = d_paths[size_t(loaded) * d_settings.max_paths + k];
            paths[k].gain *= scale;
            paths[k].power *= scale * scale;
        }
        return count;
    }

protected:
    void
    run(gr_complex* z, float* noise_var, int batch, gr_complex* c, estimate_report* report) override
    {
        for (int b = 0; b < batch; ++b) {
            gr_complex* own = z + size_t(b) * observations();
            const long before = moves();
            const bool warm = resume(own, noise_var[b], state(b));
            if (!warm) {
                d_fit.load(own);
                pursue(noise_var[b], std::numeric_limits<double>::infinity());
                if (d_wavefronts)
                    make_coherent(0, noise_var[b]);
            }
            const double explained = finish(noise_var[b]);
            report[b].steps = static_cast<int>(moves() - before);
            if (state(b))
                keep_state(state(b), warm, report[b]);
            d_fit.synthesize(c + size_t(b) * coefficients());
            report[b].iterations = d_fit.paths();
            keep_paths(b);
            predict(pilot_energy(own) - explained, noise_var[b], report[b]);
        }
    }

private:
    long moves() const { return d_fit.moves() + (d_wavefronts ? d_wavefronts->fit.moves() : 0); }

    // Slopes are of no use behind the last step.
    double finish(double noise_var)
    {
        if (!d_fit.paths())
            return 0.0;
        d_fit.climb(0, d_fit.paths(), d_settings.final_steps, gain_share * noise_var);
        d_fit.drop_slopes();
        d_fit.recentre();
        return d_fit.solve();
    }

    double pilot_energy(const gr_complex* z) const
    {
        double sum = 0.0;
        for (int i = 0; i < observations(); ++i)
            sum += std::norm(z[i]);
        return sum;
    }

    // Energy in pilots of the paths too weak to be found. With amplitudes spread evenly from zero
    // to that of the strongest path, the others that are found tell how many there are; each has a
    // third of the smallest energy that is found. Paths are sorted.
    double missed_energy(double noise_var) const
    {
        constexpr double most = 0.9; // of the strongest amplitude
        const double smallest = noise_var * d_threshold;
        const double ratio = std::min(most, std::sqrt(smallest / d_fit.pilot_energy(d_order[0])));
        return (d_fit.paths() - 1) * ratio / (1.0 - ratio) * smallest / 3.0;
    }

    // The error over the whole array: what the noise costs the fit, paths too weak to be found,
    // what the energy \p left of the pilots says of a model that breaks, and subarrays that are not
    // seen.
    void predict(double left, double noise_var, estimate_report& report) const
    {
        report.divergence = static_cast<float>(d_fit.unknowns());
        if (d_fit.paths() == 0)
            return;
        const double missed = missed_energy(noise_var);
        const double excess = left - noise_var * (d_seen - d_fit.unknowns()) - missed;
        const double unexplained =
            unexplained_energy(excess, noise_var * std::sqrt(double(d_seen)));
        const double per_pilots = d_fit.energy_per_pilot_energy(d_order[0]);
        const double error = noise_var * d_fit.error_per_noise() + d_fit.unseen_energy() +
                             (missed + unexplained) * per_pilots;
        report.unexplained_nmse =
            static_cast<float>(unexplained * per_pilots / op()->shape().antennas());
        report.predicted_nmse_db = nmse_db(error / coefficients());
    }

    void keep_paths(int b)
    {
        sort_by_power();
        for (int k = 0; k < d_fit.paths(); ++k)
            d_paths[size_t(b) * d_settings.max_paths + k] = d_fit.describe(d_order[k]);
        d_path_count[b] = d_fit.paths();
    }

    // From the last frame's paths: they are refined, the faded ones dropped, new ones looked for.
    // False where that has failed and the frame has to start over.
    bool resume(const gr_complex* z, double noise_var, const float* state)
    {
        if (!state)
            return false;
        tracked_head head;
        std::memcpy(&head, state, sizeof(head));
        if (head.paths_plus_one == 0.0f || head.frames >= frames_per_start)
            return false;
        d_fit.load(z);
        for (int p = 0; p + 1 < static_cast<int>(head.paths_plus_one); ++p) {
            tracked_path path;
            std::memcpy(&path, state + head_size + p * path_size, sizeof(path));
            d_fit.set(p, { path.coherent > 0.0f, path.ux, path.uy, path.curvature });
        }
        if (d_fit.paths())
            d_fit.refine(0, d_fit.paths(), d_settings.steps, gain_share * noise_var);
        drop_faded(noise_var);
        const int old = d_fit.paths();
        if (!pursue(noise_var, jump * d_threshold * noise_var))
            return false;
        if (d_wavefronts)
            make_coherent(old, noise_var);
        return true;
    }

    void drop_faded(double noise_var)
    {
        for (int p = d_fit.paths() - 1; p >= 0; --p)
            if (d_fit.pilot_energy(p) < noise_var * d_threshold) {
                d_fit.remove(p);
                d_fit.solve();
            }
    }

    void keep_state(float* state, bool warm, estimate_report& report)
    {
        tracked_head head;
        std::memcpy(&head, state, sizeof(head));
        head.paths_plus_one = d_fit.paths() + 1.0f;
        head.frames = warm ? head.frames + 1.0f : 1.0f;
        if (warm)
            report.steps_saved = static_cast<int>(head.cold_steps) - report.steps;
        else
            head.cold_steps = report.steps;
        std::memcpy(state, &head, sizeof(head));
        for (int p = 0; p < d_fit.paths(); ++p) {
            const fitted_path& from = d_fit.path(p);
            const tracked_path path = { from.coherent ? 1.0f : 0.0f,
                                        static_cast<float>(from.ux),
                                        static_cast<float>(from.uy),
                                        static_cast<float>(from.curvature) };
            std::memcpy(state + head_size + p * path_size, &path, sizeof(path));
        }
    }

    // A peak next to a path that is there already: its wavefront no longer fits.
    bool is_beside_a_path(const wave_search::peak& peak) const
    {
        for (int p = 0; p < d_fit.paths(); ++p)
            if (d_fit.path(p).coherent && std::abs(d_fit.path(p).ux - peak.ux) < d_beam_x &&
                std::abs(d_fit.path(p).uy - peak.uy) < d_beam_y)
                return true;
        return false;
    }

    // Adds paths until none is left above the threshold; false when one is found that tracking
    // should not have left, one above \p alarm or, with a finite alarm, one beside a coherent path.
    bool pursue(double noise_var, double alarm)
    {
        while (d_fit.paths() < d_settings.max_paths) {
            d_fit.residual(d_re.data(), d_im.data());
            const auto peak = d_search.strongest(d_re.data(), d_im.data(), d_settings.steps == 0);
            if (peak.energy < noise_var * d_threshold)
                return true;
            if (peak.energy > alarm || (std::isfinite(alarm) && is_beside_a_path(peak)))
                return false;
            d_fit.set(d_fit.paths(), { false, peak.ux, peak.uy, 0.0 });
            d_fit.refine(0, d_fit.paths(), d_settings.steps, gain_share * noise_var);
        }
        return true;
    }

    // Of the paths from first on, strongest first: those that are free, then, since they were
    // decided on while others were still free, all of them once more.
    void make_coherent(int first, double noise_var)
    {
        if (first == d_fit.paths())
            return;
        d_fit.require_slopes();
        d_fit.solve();
        sort_by_power();
        for (int pass = 0; pass < 2; ++pass) {
            for (int k = 0; k < d_fit.paths(); ++k)
                if (d_order[k] >= first)
                    try_wavefront(d_order[k], noise_var);
            d_fit.recentre();
            d_fit.solve();
        }
    }

    // A coherent path has 2 S - 3 real parameters fewer than a free one, S the subarrays that are
    // seen, each of which explains noise_var / 2 of noise; a loss beyond three standard deviations
    // of that speaks against it.
    void try_wavefront(int p, double noise_var)
    {
        const double saved = 0.5 * (2 * d_fit.live_subarrays() - 3);
        const double most_lost = noise_var * (saved + 3.0 * std::sqrt(saved));
        const double before = d_fit.explained();
        const fitted_path old = d_fit.path(p);
        const auto [energy, best] = best_wavefront(p, noise_var);
        if (old.coherent && energy < before + gain_share * noise_var)
            return;
        d_fit.move(p, best);
        if (d_fit.climb(0, d_fit.paths(), 1, 0.0) < before - (old.coherent ? 0.0 : most_lost)) {
            d_fit.move(p, old);
            d_fit.climb(0, d_fit.paths(), 1, 0.0);
        }
    }

    void sort_by_power()
    {
        for (int p = 0; p < d_fit.paths(); ++p) {
            d_order[p] = p;
            d_power[p] = d_fit.pilot_energy(p);
        }
        std::sort(d_order.begin(), d_order.begin() + d_fit.paths(), [this](int a, int b) {
            return d_power[a] > d_power[b];
        });
    }

    // All candidates take one step, the best of them more.
    std::pair<double, fitted_path> best_wavefront(int p, double noise_var)
    {
        d_fit.reduce(p, &d_reduced);
        const int count = d_wavefronts->search.candidates(
            d_fit.path(p), d_reduced, d_candidates.data(), d_settings.candidates);
        const double enough = gain_share * noise_var;
        for (int k = 0; k < count; ++k) {
            const double energy = d_wavefronts->fit.refine(d_reduced, &d_candidates[k], 1, enough);
            d_trials[k] = { energy, d_candidates[k] };
        }
        const auto better = [](const auto& a, const auto& b) { return a.first > b.first; };
        const auto begin = d_trials.begin();
        const int finalists = std::min(count, most_finalists);
        std::partial_sort(begin, begin + finalists, begin + count, better);
        for (int k = 0; k < finalists; ++k)
            d_trials[k].first =
                d_wavefronts->fit.refine(d_reduced, &d_trials[k].second, d_settings.steps, enough);
        return *std::min_element(begin, begin + finalists, better);
    }

    const pursuit_settings d_settings;
    path_fit d_fit;
    wave_search d_search;
    std::unique_ptr<wavefront_tools> d_wavefronts;
    const double d_threshold;
    const double d_beam_x, d_beam_y;    // width in direction cosines
    int d_seen = 0;                     // pilots that the channel reaches
    volk::vector<float> d_re, d_im;     // residual [S][stride]
    std::vector<path_estimate> d_paths; // [batch][max_paths], at unit channel power
    std::vector<int> d_path_count;      // [batch]
    std::vector<int> d_order;
    std::vector<double> d_power;
    reduced_path d_reduced;
    std::vector<fitted_path> d_candidates;
    std::vector<std::pair<double, fitted_path>> d_trials; // energy explained, candidate
};

estimator::sptr make_newtonized_omp(const algorithm_info& info,
                                    const pilot_operator::sptr& op,
                                    const option_map& options)
{
    const option_reader reader(info, options);
    const auto& shape = op->shape();
    const double spacing = reader.number("spacing", 0.01, 2.0);
    const auto region =
        visible_region::make(visible_region::axis::for_spacing(shape.rows, spacing),
                             visible_region::axis::for_spacing(shape.cols, spacing));
    const auto layout =
        layout_of(info.name, reader.values("subarray_centres"), spacing, shape.n_subarrays);
    const pursuit_settings settings = { reader.integer("max_paths", 1, 64),
                                        reader.number("false_alarm", 1e-12, 0.5),
                                        reader.integer("steps", 0, 100),
                                        reader.integer("final_steps", 0, 100),
                                        !layout.x.empty() && shape.n_subarrays > 1,
                                        reader.integer("candidates", 1, 64),
                                        1.0 / reader.number("min_distance", 1.0, 1e12) };
    return std::make_shared<newtonized_omp_estimator>(
        info, options, observation_model::make(op, region), region, layout, settings);
}

} // namespace

algorithm newtonized_omp()
{
    return {
        { "newtonized_omp",
          "Newtonized OMP: paths off the grid, refined together, coherent over the array",
          with_common(
              { { "max_paths", 12.0, "Paths at most, 1 to 64." },
                { "false_alarm",
                  1e-2,
                  "Probability that noise alone passes for another path, up to 0.5." },
                { "steps", 2.0, "Gauss-Newton steps after each new path, 0 to 100." },
                { "final_steps", 4.0, "Gauss-Newton steps at the end, 0 to 100." },
                { "subarray_centres",
                  std::vector<gr_complex>{},
                  "Centre x + jy of each subarray in wavelengths; without them gains stay free." },
                { "candidates",
                  16.0,
                  "Wavefronts tried for each path, 1 to 64; more helps at high SNR." },
                { "min_distance",
                  4000.0,
                  "Nearest source that a coherent path may have, in wavelengths." } }) },
        make_newtonized_omp
    };
}

} // namespace estimation
} // namespace thzum
} // namespace gr
