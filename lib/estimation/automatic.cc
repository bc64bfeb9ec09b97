/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/algorithm.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

constexpr float probe_size = 0.3f; // over the deviation of the noise: within it, estimates move linearly
constexpr uint64_t probe_seed = 1;

const std::vector<std::string> learned_names = { "fpn_oamp", "oamp" };

/*!
 * The parametric and the learned estimate of the same pilots, put together by the pilots.
 *
 * Of w h_p + (1 - w) h_l, Stein's unbiased risk estimate (Stein, Ann. Statist. 1981) tells the error of
 * what the pilots see: in the orthonormalised pair u = diag(gains) B h + n,
 *
 *     J(w) = ||u - diag(gains) B (w h_p + (1 - w) h_l)||^2 + 2 (w e_p + (1 - w) e_l) + const,
 *
 * e = noise_var times the divergence of the estimate by u. For a fit of p real parameters that is p/2
 * noise_var, which is the error it predicts of itself. For the learned estimate it is measured, by running
 * it once more with a little noise added (Ramani, Blu, Unser, IEEE Trans. Image Process. 2008); for a
 * posterior mean it is the error. What the estimator predicts of itself is a lower limit of it, since one
 * probe scatters. J is a parabola in w, whose minimum is found in closed form and kept in [0, 1]. Noise that
 * both estimates leave in the residual cancels, so the choice is far sharper than the residuals themselves.
 */
class automatic_estimator : public estimator
{
public:
    automatic_estimator(const algorithm_info& info,
                        const option_map& given,
                        estimator::sptr parametric,
                        estimator::sptr learned,
                        int max_batch)
        : d_options(settings_in_force(info, given)),
          d_parametric(std::move(parametric)),
          d_learned(std::move(learned)),
          d_max_batch(max_batch),
          d_observed(size_t(op()->shape().n_subarrays) * op()->rank()),
          d_h(size_t(max_batch) * op()->shape().antennas()),
          d_disturbed(d_h.size()),
          d_y(size_t(max_batch) * op()->n_observations()),
          d_noise_var(max_batch),
          d_probe(op()->n_observations()),
          d_whitened_probe(d_observed),
          d_u(d_observed),
          d_seen_parametric(d_observed),
          d_seen_learned(d_observed),
          d_report(max_batch),
          d_gain(0.0)
    {
        for (const float gain : op()->gains())
            d_gain += double(gain) * gain / op()->shape().antennas();
        make_probe();
    }

    std::string name() const override { return "auto"; }
    const pilot_operator::sptr& op() const override { return d_learned->op(); }
    const option_map& options() const override { return d_options; }
    std::string repr() const override { return describe_settings(name(), d_options); }

    void estimate(const gr_complex* y,
                  const float* noise_var,
                  int batch,
                  gr_complex* h_hat,
                  estimate_report* report) override
    {
        const size_t observations = op()->n_observations(), antennas = op()->shape().antennas();
        for (int begin = 0; begin < batch; begin += d_max_batch) {
            const int count = std::min(d_max_batch, batch - begin);
            const float* variances = noise_var ? noise_var + begin : nullptr;
            d_learned->estimate(
                y + begin * observations, variances, count, h_hat + begin * antennas, report + begin);
            disturb(y + begin * observations, report + begin, count);
            d_parametric->estimate(
                y + begin * observations, d_noise_var.data(), count, d_h.data(), d_report.data());
            for (int b = 0; b < count; ++b)
                combine(y + (begin + b) * observations, b, h_hat + (begin + b) * antennas, report[begin + b]);
        }
    }

    int paths(int item, path_estimate* paths, int most) const override
    {
        return d_parametric->paths(item, paths, most);
    }

private:
    // Pilots as noise of unit variance makes them, the same for every item.
    void make_probe()
    {
        std::mt19937_64 generator(probe_seed);
        const auto sign = [&] { return generator() >> 63 ? 1.0f : -1.0f; };
        const auto random = [&] { return gr_complex(sign(), sign()) * std::sqrt(0.5f); };
        const int elements = op()->shape().elements();
        if (op()->model() == noise_model::common) {
            std::generate_n(d_h.begin(), op()->shape().antennas(), random);
            op()->forward(d_h.data(), d_probe.data(), 1);
        } else {
            for (size_t i = 0; i < d_probe.size(); ++i) {
                float norm = 0.0f;
                for (int k = 0; k < elements; ++k)
                    norm += std::norm(op()->combiner()[i * elements + k]);
                d_probe[i] = random() * std::sqrt(norm);
            }
        }
        op()->whiten(d_probe.data(), d_whitened_probe.data(), 1);
    }

    // The learned estimates of pilots with a little more noise, into d_disturbed.
    void disturb(const gr_complex* y, const estimate_report* report, int count)
    {
        const size_t observations = d_probe.size();
        for (int b = 0; b < count; ++b) {
            // Of an item of zeros it may be zero, and does not matter.
            d_noise_var[b] = report[b].noise_var > 0.0f ? report[b].noise_var : 1.0f;
            const float scale = probe_size * std::sqrt(d_noise_var[b]);
            for (size_t i = 0; i < observations; ++i)
                d_y[b * observations + i] = y[b * observations + i] + scale * d_probe[i];
        }
        d_learned->estimate(d_y.data(), d_noise_var.data(), count, d_disturbed.data(), d_report.data());
    }

    // noise_var times the divergence of the learned estimate, as the pilots see it: what its output moves
    // along the probe, over the size of the probe.
    double measured_divergence(const gr_complex* disturbed, double noise_var)
    {
        observe(disturbed, d_seen_parametric);
        double moved = 0.0;
        for (size_t i = 0; i < d_observed; ++i)
            moved += (std::conj(d_whitened_probe[i]) * (d_seen_parametric[i] - d_seen_learned[i])).real();
        return std::sqrt(noise_var) * moved / probe_size;
    }

    // What the pilots see of an estimate.
    void observe(const gr_complex* h, std::vector<gr_complex>& seen)
    {
        op()->project(h, seen.data(), 1);
        for (size_t i = 0; i < seen.size(); ++i)
            seen[i] *= op()->gains()[i];
    }

    // Energy of the error that an estimator expects of itself, as the pilots see it.
    double expected_error(const estimate_report& report, const gr_complex* h) const
    {
        double energy = 0.0;
        for (int i = 0; i < op()->shape().antennas(); ++i)
            energy += std::norm(h[i]);
        return std::isfinite(report.predicted_nmse_db)
                   ? d_gain * energy * std::pow(10.0, 0.1 * report.predicted_nmse_db)
                   : 0.0;
    }

    // Leaves the combination in h and its report in report, which hold the learned estimate.
    void combine(const gr_complex* y, int b, gr_complex* h, estimate_report& report)
    {
        const size_t first = size_t(b) * op()->shape().antennas();
        const gr_complex* parametric = &d_h[first];
        op()->whiten(y, d_u.data(), 1);
        observe(h, d_seen_learned);
        const double error_learned = std::max(
            expected_error(report, h), measured_divergence(&d_disturbed[first], report.noise_var));
        observe(parametric, d_seen_parametric);
        double along = 0.0, apart = 0.0;
        for (size_t i = 0; i < d_observed; ++i) {
            const gr_complex step = d_seen_parametric[i] - d_seen_learned[i];
            along += (std::conj(step) * (d_u[i] - d_seen_learned[i])).real();
            apart += std::norm(step);
        }
        const double error_parametric = expected_error(d_report[b], parametric);
        const double best = (along - (error_parametric - error_learned)) / apart;
        const float w = apart > 0.0 ? static_cast<float>(std::clamp(best, 0.0, 1.0)) : 0.0f;
        double energy = 0.0;
        for (int i = 0; i < op()->shape().antennas(); ++i) {
            h[i] += w * (parametric[i] - h[i]);
            energy += std::norm(h[i]);
        }
        // The error of a convex combination is at most that combination of the errors.
        const double error = w * error_parametric + (1.0 - w) * error_learned;
        report.predicted_nmse_db =
            error > 0.0 && energy > 0.0
                ? static_cast<float>(10.0 * std::log10(error / (d_gain * energy)))
                : std::numeric_limits<float>::quiet_NaN();
    }

    const option_map d_options;
    estimator::sptr d_parametric, d_learned;
    const int d_max_batch;
    const size_t d_observed;
    std::vector<gr_complex> d_h;         // parametric estimates [batch][N]
    std::vector<gr_complex> d_disturbed; // learned estimates of disturbed pilots [batch][N]
    std::vector<gr_complex> d_y;         // disturbed pilots [batch][M]
    std::vector<float> d_noise_var;      // [batch]
    std::vector<gr_complex> d_probe, d_whitened_probe; // [M], [S * R]
    std::vector<gr_complex> d_u, d_seen_parametric, d_seen_learned; // [S * R]
    std::vector<estimate_report> d_report;
    double d_gain; // energy that the pilots see of a channel, over its energy, on average
};

/*! Those of \p given that the estimator \p name takes. */
option_map options_for(const std::string& name, const option_map& given)
{
    option_map taken;
    for (const auto& info : estimators())
        if (info.name == name)
            for (const auto& option : info.options)
                if (given.count(option.name))
                    taken[option.name] = given.at(option.name);
    return taken;
}

estimator::sptr
make_automatic(const algorithm_info& info, const pilot_operator::sptr& op, const option_map& options)
{
    const option_reader reader(info, options);
    const auto& learned = reader.choice("learned", learned_names);
    // Each keeps scratch memory in its operator.
    return std::make_shared<automatic_estimator>(
        info,
        options,
        make_estimator("newtonized_omp", op->clone(), options_for("newtonized_omp", options)),
        make_estimator(learned, op, options_for(learned, options)),
        reader.integer("max_batch", 1, 4096));
}

} // namespace

algorithm automatic()
{
    return {
        { "auto",
          "Newtonized OMP and the learned estimator, combined by what the pilots tell of their errors",
          with_common(
              { { "learned",
                  std::string("fpn_oamp"),
                  "The estimator beside newtonized_omp: \"fpn_oamp\" or \"oamp\"." },
                { "model", std::string(), "Model file of the learned estimator; empty is the shipped one." },
                { "subarray_centres",
                  std::vector<gr_complex>{},
                  "Centre x + jy of each subarray in wavelengths; without them gains stay free." },
                { "max_paths", 12.0, "Paths at most, 1 to 64." } }) },
        make_automatic
    };
}

} // namespace estimation
} // namespace thzum
} // namespace gr
