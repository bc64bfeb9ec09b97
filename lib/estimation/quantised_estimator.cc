/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/quantiser.h"
#include "estimation/algorithm.h"
#include "estimation/observation_scaler.h"
#include "estimation/quantised_estimator.h"
#include "estimation/quantiser_cell.h"
#include "measurement/noise_dimensions.h"
#include <algorithm>
#include <cfloat>
#include <cmath>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

constexpr int most_bits = 12;
constexpr int power_iterations = 3;

// The estimator tells the noise level of so many first rounds, where it is not given.
constexpr int blind_iterations = 2;
// The least that antenna noise is taken to be of all the noise of the pseudo-observations.
constexpr double least_noise_share = 0.05;

// An estimate that follows more than this of its observations says nothing beyond them.
constexpr double most_followed = 0.9;
// A belief is never surer than this share of the observations' noise.
constexpr double surest = 1e-4;
// Information of a cell beside the belief, at least.
constexpr double most_kept = 0.99;

struct converter_settings {
    int bits;
    double step; // 0: read from the pilots
    int iterations;
};

// One bit tells least a round.
int default_iterations(int bits) { return bits == 1 ? 6 : bits == 2 ? 4 : 3; }

double energy(const float* x, int count)
{
    double sum = 0.0;
    for (int i = 0; i < count; ++i)
        sum += double(x[i]) * x[i];
    return sum;
}

class quantised_estimator : public estimator
{
public:
    quantised_estimator(const converter_settings& settings,
                        const option_map& options,
                        estimator::sptr inner,
                        int max_batch)
        : d_settings(settings),
          d_options(options),
          d_inner(std::move(inner)),
          d_max_batch(max_batch),
          d_subarrays(op()->shape().n_subarrays),
          d_slots(op()->n_slots()),
          d_noise_dimensions(noise_dimensions(*op())),
          d_moments(moments_of_quantiser(settings.bits, optimal_quantiser_step(settings.bits))),
          d_row_energy(0.0),
          d_heard(0),
          d_level(size_t(max_batch) * op()->n_observations() * 2),
          d_mean(d_level.size()),
          d_pseudo(d_level.size()),
          d_y(size_t(max_batch) * op()->n_observations()),
          d_chain(size_t(max_batch) * d_subarrays),
          d_item(max_batch),
          d_total(max_batch)
    {
        const int elements = op()->shape().elements();
        d_first.push_back(0);
        for (int i = 0; i < op()->n_observations(); ++i) {
            if (op()->mask()[i]) {
                d_place.push_back(i);
                for (int k = 0; k < elements; ++k)
                    d_row_energy += std::norm(op()->combiner()[size_t(i) * elements + k]);
            }
            if ((i + 1) % d_slots == 0)
                d_first.push_back(static_cast<int>(d_place.size()));
        }
        d_heard = static_cast<int>(d_place.size());
        d_row_energy /= d_heard;
    }

    std::string name() const override { return d_inner->name(); }
    const pilot_operator::sptr& op() const override { return d_inner->op(); }
    const option_map& options() const override { return d_options; }
    std::string repr() const override { return describe_settings(name(), d_options); }
    int state_size() const override { return d_inner->state_size(); }

    int paths(int item, path_estimate* paths, int most) const override
    {
        return d_inner->paths(item, paths, most);
    }

    void estimate(const gr_complex* y,
                  const float* noise_var,
                  int batch,
                  gr_complex* h_hat,
                  estimate_report* report) override
    {
        track(y, noise_var, batch, h_hat, report, nullptr);
    }

    void track(const gr_complex* y,
               const float* noise_var,
               int batch,
               gr_complex* h_hat,
               estimate_report* report,
               float* const* state) override
    {
        if (noise_var)
            require_noise_variances(noise_var, batch);
        const size_t observed = op()->n_observations(), antennas = op()->shape().antennas();
        for (int begin = 0; begin < batch; begin += d_max_batch)
            estimate_piece(y + begin * observed,
                           noise_var ? noise_var + begin : nullptr,
                           std::min(d_max_batch, batch - begin),
                           h_hat + begin * antennas,
                           report + begin,
                           state ? state + begin : nullptr);
    }

private:
    /*! What is known of an RF chain in one item. */
    struct chain {
        double step;
        double power;  // E|sample|^2 before the converter
        double belief; // variance of the sample, complex
    };

    struct item {
        bool is_on_levels;
        double noise;     // variance of the antenna noise in an observation
        double converter; // variance of the converter's part of the pseudo-observation's noise
        int steps;
    };

    size_t at(int b, int s) const { return 2 * (size_t(b) * op()->n_observations() + d_first[s]); }
    int components(int s) const { return 2 * (d_first[s + 1] - d_first[s]); }

    void estimate_piece(const gr_complex* y,
                        const float* noise_var,
                        int batch,
                        gr_complex* h_hat,
                        estimate_report* report,
                        float* const* state)
    {
        bool any_on_levels = false;
        for (int b = 0; b < batch; ++b) {
            load(y + size_t(b) * op()->n_observations(), b);
            d_item[b].noise = noise_var ? noise_var[b] * d_row_energy : 0.0;
            any_on_levels |= d_item[b].is_on_levels;
        }
        const int rounds = any_on_levels ? d_settings.iterations : 1;
        for (int t = 0; t < rounds; ++t) {
            for (int b = 0; b < batch; ++b)
                observe(b);
            run_inner(!noise_var && t < blind_iterations, batch, h_hat, report, state);
            if (t + 1 == rounds)
                break;
            op()->forward(h_hat, d_y.data(), batch);
            for (int b = 0; b < batch; ++b)
                if (d_item[b].is_on_levels)
                    renew_belief(b, report[b]);
        }
        for (int b = 0; b < batch; ++b) {
            report[b].noise_var = static_cast<float>(d_item[b].noise / d_row_energy);
            report[b].steps = d_item[b].steps;
        }
    }

    void run_inner(
        bool blind, int batch, gr_complex* h_hat, estimate_report* report, float* const* state)
    {
        for (int b = 0; b < batch; ++b) {
            const double variance = (d_item[b].noise + d_item[b].converter) / d_row_energy;
            d_total[b] = std::max(static_cast<float>(variance), FLT_MIN);
        }
        const float* noise_var = blind ? nullptr : d_total.data();
        if (state)
            d_inner->track(d_y.data(), noise_var, batch, h_hat, report, state);
        else
            d_inner->estimate(d_y.data(), noise_var, batch, h_hat, report);
        for (int b = 0; b < batch; ++b) {
            auto& own = d_item[b];
            own.steps += report[b].steps;
            if (blind) {
                const double all = report[b].noise_var * d_row_energy;
                own.noise = std::max(all - own.converter, least_noise_share * all);
            }
        }
    }

    // Levels of an item, chain by chain without what is left out, and their first belief.
    void load(const gr_complex* y, int b)
    {
        d_item[b] = { true, 0.0, 0.0, 0 };
        for (int s = 0; s < d_subarrays; ++s) {
            float* level = &d_level[at(b, s)];
            for (int i = d_first[s], k = 0; i < d_first[s + 1]; ++i) {
                level[k++] = y[d_place[i]].real();
                level[k++] = y[d_place[i]].imag();
            }
            chain& own = d_chain[size_t(b) * d_subarrays + s];
            own.step =
                d_settings.step > 0.0 ? d_settings.step : smallest_step(level, components(s));
            d_item[b].is_on_levels &= is_on_levels(level, components(s), own.step);
        }
        for (int s = 0; s < d_subarrays; ++s)
            set_first_belief(b, s);
    }

    static double smallest_step(const float* level, int count)
    {
        float least = count > 0 ? FLT_MAX : 0.0f;
        for (int i = 0; i < count; ++i)
            least = std::min(least, std::abs(level[i]));
        return 2.0 * least;
    }

    double top(double step) const { return step * (std::ldexp(1.0, d_settings.bits - 1) - 0.5); }

    // A chain of zeros is silent, not off its levels.
    bool is_on_levels(const float* level, int count, double step) const
    {
        if (step == 0.0)
            return energy(level, count) == 0.0;
        constexpr double rounding = 1e-2;
        const double highest = std::ldexp(1.0, d_settings.bits - 1) - 0.5 + rounding;
        for (int i = 0; i < count; ++i) {
            const double x = level[i] / step - 0.5;
            if (std::abs(x - std::round(x)) > rounding || std::abs(x + 0.5) > highest)
                return false;
        }
        return true;
    }

    // Zero mean, and the power that explains the levels best. One bit does not tell it; there the
    // gain control is taken to have set it to the best load.
    void set_first_belief(int b, int s)
    {
        const int count = components(s);
        float* mean = &d_mean[at(b, s)];
        chain& own = d_chain[size_t(b) * d_subarrays + s];
        std::fill_n(mean, count, 0.0f);
        own.power = count > 0 ? 2.0 * energy(&d_level[at(b, s)], count) / count : 0.0;
        if (d_item[b].is_on_levels && d_settings.bits == 1) {
            own.power = 2.0 * std::pow(own.step / optimal_quantiser_step(1), 2);
        } else if (d_item[b].is_on_levels && own.power > 0.0) {
            for (int t = 0; t < power_iterations; ++t) {
                const double variance = posterior(b, s, own.power);
                own.power = 2.0 * energy(&d_pseudo[at(b, s)], count) / count + variance;
            }
        }
        own.belief = own.power;
    }

    // Posterior means into d_pseudo; returns the mean variance of a complex sample.
    double posterior(int b, int s, double belief)
    {
        const chain& own = d_chain[size_t(b) * d_subarrays + s];
        const double sum = cell_posterior(&d_level[at(b, s)],
                                          &d_mean[at(b, s)],
                                          static_cast<float>(std::sqrt(0.5 * belief)),
                                          static_cast<float>(own.step),
                                          static_cast<float>(top(own.step)),
                                          &d_pseudo[at(b, s)],
                                          components(s));
        return 2.0 * sum / components(s);
    }

    // Pseudo-observations of an item into d_y, and the converters' part of their noise.
    void observe(int b)
    {
        double sum = 0.0;
        for (int s = 0; s < d_subarrays; ++s)
            if (components(s) > 0)
                sum += 0.5 * components(s) *
                       (d_item[b].is_on_levels ? observe_cells(b, s) : observe_linear(b, s));
        d_item[b].converter = sum / d_heard;
        gr_complex* y = &d_y[size_t(b) * op()->n_observations()];
        std::fill_n(y, op()->n_observations(), gr_complex(0.0f));
        const float* pseudo = &d_pseudo[at(b, 0)];
        for (int i = 0; i < d_heard; ++i)
            y[d_place[i]] = gr_complex(pseudo[2 * i], pseudo[2 * i + 1]);
    }

    // The posterior divided by the belief.
    double observe_cells(int b, int s)
    {
        const chain& own = d_chain[size_t(b) * d_subarrays + s];
        float* pseudo = &d_pseudo[at(b, s)];
        const float* mean = &d_mean[at(b, s)];
        if (own.step == 0.0) {
            std::fill_n(pseudo, components(s), 0.0f);
            return 0.0;
        }
        const double variance = posterior(b, s, own.belief);
        const double kept = std::min(variance / own.belief, most_kept);
        const float scale = static_cast<float>(1.0 / (1.0 - kept));
        for (int i = 0; i < components(s); ++i)
            pseudo[i] = mean[i] + scale * (pseudo[i] - mean[i]);
        return variance / (1.0 - kept);
    }

    // Averages over chips: q = gain (x + noise), with E|q|^2 = square E|x|^2 in each chip.
    double observe_linear(int b, int s)
    {
        const double gain = d_moments.cross;
        for (int i = 0; i < components(s); ++i)
            d_pseudo[at(b, s) + i] = static_cast<float>(d_level[at(b, s) + i] / gain);
        return d_chain[size_t(b) * d_subarrays + s].power *
               (1.0 / (gain * gain) - 1.0 / d_moments.square);
    }

    // What the estimate says of the samples, in d_y, without what it has from these observations.
    void renew_belief(int b, const estimate_report& report)
    {
        const gr_complex* seen = &d_y[size_t(b) * op()->n_observations()];
        const float* pseudo = &d_pseudo[at(b, 0)];
        float* mean = &d_mean[at(b, 0)];
        double left = 0.0;
        for (int i = 0; i < d_heard; ++i) {
            mean[2 * i] = seen[d_place[i]].real();
            mean[2 * i + 1] = seen[d_place[i]].imag();
            left += std::norm(seen[d_place[i]] - gr_complex(pseudo[2 * i], pseudo[2 * i + 1]));
        }
        const double total = d_item[b].noise + d_item[b].converter;
        const double power = energy(pseudo, 2 * d_heard) / d_heard;
        const double error = error_of_samples(power, left / d_heard, total, report);
        const double followed = std::isfinite(report.divergence)
                                    ? report.divergence / d_noise_dimensions
                                    : error / total;
        const double alpha = std::clamp(followed, 0.0, most_followed);
        for (int i = 0; i < 2 * d_heard; ++i)
            mean[i] = static_cast<float>((mean[i] - alpha * pseudo[i]) / (1.0 - alpha));
        set_belief(b, d_item[b].noise + std::max(error / (1.0 - alpha), surest * total));
    }

    // Mean |error|^2 of the samples without noise: what the estimator expects, unless what it
    // leaves of the observations, total - error on average, contradicts by more than two standard
    // deviations.
    double
    error_of_samples(double power, double left, double total, const estimate_report& report) const
    {
        const double spread = 2.0 * total / std::sqrt(double(d_heard));
        const double most = std::max(total - left, 0.0) + spread;
        if (!std::isfinite(report.predicted_nmse_db))
            return most;
        const double channel = std::max(power - total, 0.0) + spread;
        return std::clamp(std::pow(10.0, 0.1 * report.predicted_nmse_db) * channel,
                          std::max(total - left - spread, 0.0),
                          most);
    }

    void set_belief(int b, double variance)
    {
        double power = 0.0, belief = 0.0;
        for (int s = 0; s < d_subarrays; ++s) {
            chain& own = d_chain[size_t(b) * d_subarrays + s];
            own.belief = std::min(variance, own.power);
            power += own.power * components(s);
            belief += own.belief * components(s);
        }
        if (d_settings.bits > 1)
            return;
        // Signs do not tell amplitudes, so a scale that drifts would not be noticed.
        float* mean = &d_mean[at(b, 0)];
        const double present = 2.0 * energy(mean, 2 * d_heard);
        const float scale =
            present > 0.0 ? static_cast<float>(std::sqrt((power - belief) / present)) : 0.0f;
        for (int i = 0; i < 2 * d_heard; ++i)
            mean[i] *= scale;
    }

    const converter_settings d_settings;
    const option_map d_options;
    const estimator::sptr d_inner;
    const int d_max_batch, d_subarrays, d_slots, d_noise_dimensions;
    const quantiser_moments d_moments; // at the best load
    double d_row_energy;               // mean ||c||^2 of the rows that are heard
    int d_heard;                       // observations
    std::vector<int> d_place;          // of each of them in y
    std::vector<int> d_first;          // of each subarray among them, and their end
    std::vector<float> d_level;        // received [batch][heard] re, im
    std::vector<float> d_mean;         // belief, as d_level
    std::vector<float> d_pseudo;       // posterior means, then pseudo-observations, as d_level
    std::vector<gr_complex>
        d_y;                    // pseudo-observations, or what the estimate says of them [batch][M]
    std::vector<chain> d_chain; // [batch][S]
    std::vector<item> d_item;   // [batch]
    std::vector<float> d_total; // [batch] noise variance as the inner estimator has it
};

} // namespace

std::vector<option_info> converter_options()
{
    return {
        { "adc_bits",
          0.0,
          "Bits of the converters for each of I and Q, 1 to 12, for the generalised linear step; 0 "
          "leaves it out." },
        { "adc_step",
          0.0,
          "Step of the converters in the unit of the pilots; 0 reads it off each chain's pilots." },
        { "adc_iterations",
          0.0,
          "Rounds of the generalised linear step, up to 64, each an estimate; 0 is 6 for one bit, "
          "4 "
          "for two and 3 for more." }
    };
}

bool has_converters(const algorithm_info& info, const option_map& given)
{
    return option_reader(info, given).integer("adc_bits", 0, most_bits) > 0;
}

option_map without_converters(const option_map& given)
{
    option_map rest = given;
    for (const auto& option : converter_options())
        rest.erase(option.name);
    return rest;
}

estimator::sptr
make_quantised(const algorithm_info& info, const option_map& given, estimator::sptr inner)
{
    const option_reader reader(info, given);
    const int bits = reader.integer("adc_bits", 1, most_bits);
    const int iterations = reader.integer("adc_iterations", 0, 64);
    const converter_settings settings = { bits,
                                          reader.number("adc_step", 0.0, 1e12),
                                          iterations > 0 ? iterations : default_iterations(bits) };
    option_map options = inner->options();
    for (const auto& option : converter_options())
        if (given.count(option.name) > 0)
            options[option.name] = given.at(option.name);
    return std::make_shared<quantised_estimator>(
        settings, options, std::move(inner), reader.integer("max_batch", 1, 4096));
}

} // namespace estimation
} // namespace thzum
} // namespace gr
