/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/algorithm.h"
#include "estimation/path_fit.h"
#include "estimation/unexplained_energy.h"
#include "measurement/noise_dimensions.h"
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
constexpr int most_paths = 64; // that newtonized_omp finds
constexpr double least_share = 0.5; // error of the combination over that of the better estimate

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
          d_paths(most_paths),
          d_is_seen(op()->shape().n_subarrays),
          d_gain(0.0),
          d_live(0)
    {
        const auto& shape = op()->shape();
        const size_t rank = op()->rank();
        for (size_t i = 0; i < d_observed; ++i) {
            const float gain = op()->gains()[i];
            d_gain += double(gain) * gain;
            if (gain > 0.0f)
                d_is_seen[i / rank] = 1;
        }
        d_live = static_cast<int>(std::count(d_is_seen.begin(), d_is_seen.end(), 1));
        d_gain /= double(d_live) * shape.elements();
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

    // Energy of the error that an estimator expects of itself over the whole array, as long as its model
    // holds.
    double expected_error(const estimate_report& report, const gr_complex* h) const
    {
        if (!std::isfinite(report.predicted_nmse_db))
            return 0.0;
        double energy = 0.0;
        for (int i = 0; i < op()->shape().antennas(); ++i)
            energy += std::norm(h[i]);
        return energy * (std::pow(10.0, 0.1 * report.predicted_nmse_db) - report.unexplained_nmse);
    }

    // Energy of the parametric estimate's error where there are no pilots, as path_fit has it.
    double unseen_energy(int b)
    {
        const int subarrays = op()->shape().n_subarrays;
        if (d_live == subarrays)
            return 0.0;
        double sum = 0.0;
        const int count = d_parametric->paths(b, d_paths.data(), most_paths);
        for (int k = 0; k < count; ++k)
            sum += d_paths[k].power *
                   (d_paths[k].coherent ? continuation_error : double(subarrays) / d_live);
        return sum * (subarrays - d_live) * op()->shape().elements();
    }

    // noise_var times the divergence of the learned estimate. What it predicts of its error is a lower
    // limit, unless it covers subarrays without pilots.
    double learned_error(int b, const estimate_report& report, const gr_complex* h)
    {
        const double measured =
            measured_divergence(&d_disturbed[size_t(b) * op()->shape().antennas()], report.noise_var);
        return d_live == op()->shape().n_subarrays
                   ? std::max(measured, d_gain * expected_error(report, h))
                   : std::max(measured, 0.0);
    }

    // Leaves the combination in h and its report in report, which hold the learned estimate.
    void combine(const gr_complex* y, int b, gr_complex* h, estimate_report& report)
    {
        const gr_complex* parametric = &d_h[size_t(b) * op()->shape().antennas()];
        const double noise_var = report.noise_var;
        op()->whiten(y, d_u.data(), 1);
        observe(h, d_seen_learned);
        const double error_learned = learned_error(b, report, h);
        observe(parametric, d_seen_parametric);
        double along = 0.0, apart = 0.0, left = 0.0;
        for (size_t i = 0; i < d_observed; ++i) {
            const gr_complex step = d_seen_parametric[i] - d_seen_learned[i];
            const gr_complex rest = d_u[i] - d_seen_learned[i];
            along += (std::conj(step) * rest).real();
            apart += std::norm(step);
            left += std::norm(rest);
        }
        const double followed = noise_var * d_report[b].divergence;
        const double best = (along - (followed - error_learned)) / apart;
        const float w = apart > 0.0 ? static_cast<float>(std::clamp(best, 0.0, 1.0)) : 0.0f;
        left += w * (w * apart - 2.0 * along);

        // ||w a + (1 - w) b||^2 = w ||a||^2 + (1 - w) ||b||^2 - w (1 - w) ||a - b||^2 for the two errors, whose
        // difference is known; and the error is as large as what is left of the pilots shows.
        const double unseen = unseen_energy(b);
        const double error_parametric =
            d_gain * std::max(0.0, expected_error(d_report[b], parametric) - unseen);
        const double error =
            std::max(w * error_parametric + (1.0 - w) * error_learned - w * (1.0 - w) * apart,
                     least_share * std::min(error_parametric, error_learned));
        const double divergence = w * followed + (1.0 - w) * error_learned;
        const int noisy = noise_dimensions(*op());
        const double excess = left - (noisy * noise_var + error - 2.0 * divergence);
        const double unexplained = unexplained_energy(excess, noise_var * std::sqrt(double(noisy)));
        const double all = (error + unexplained) / d_gain + unseen;
        const double energy = put_together(parametric, w, h);
        report.unexplained_nmse =
            energy > 0.0 ? static_cast<float>(unexplained / d_gain / energy) : 0.0f;
        report.divergence = static_cast<float>(divergence / noise_var);
        report.predicted_nmse_db = all > 0.0 && energy > 0.0
                                       ? static_cast<float>(10.0 * std::log10(all / energy))
                                       : std::numeric_limits<float>::quiet_NaN();
    }

    // h += w (parametric - h), and the parametric estimate alone, which may continue its paths, in subarrays
    // without pilots. Returns the energy.
    double put_together(const gr_complex* parametric, float w, gr_complex* h) const
    {
        const int elements = op()->shape().elements();
        double energy = 0.0;
        for (int i = 0; i < op()->shape().antennas(); ++i) {
            h[i] += (d_is_seen[i / elements] ? w : 1.0f) * (parametric[i] - h[i]);
            energy += std::norm(h[i]);
        }
        return energy;
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
    std::vector<path_estimate> d_paths;
    std::vector<uint8_t> d_is_seen; // subarrays with pilots
    double d_gain; // energy that the pilots see of a channel, over that in these subarrays, on average
    int d_live;    // number of these
};

/*! Those of \p given that the estimator \p name takes. */
option_map options_for(const std::string& name, const option_map& given)
{
    option_map taken;
    for (const auto& [option, value] : given)
        if (takes_option(estimators(), name, option))
            taken[option] = value;
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
