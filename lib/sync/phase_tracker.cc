/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "sync/phase_tracker.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {

namespace {

constexpr int tagged_users = 63; // a signed mask holds a bit for each

/*! Deviations by which a walk has to exceed noise to be smoothed, and to be the only reason why the
 * detection of data follows users. */
constexpr double walk_sigmas = 1.5;
constexpr double reason_sigmas = 5.0;

/*! Of a phase that nothing is known of. */
constexpr double unknown_variance = 1e6;

double wrapped(double angle) { return std::remainder(angle, 2 * M_PI); }

} // namespace

phase_tracker::phase_tracker(air_frame::sptr frame,
                             int n_chains,
                             bool is_per_chain,
                             double max_user_frequency)
    : d_layout(*frame, n_chains),
      d_n_chains(n_chains),
      d_n_references(d_layout.size()),
      d_n_users(d_layout.n_users),
      d_is_per_chain(is_per_chain),
      d_window(periodogram::unambiguous(d_layout)),
      d_spectrum(d_layout, d_window),
      d_offsets(d_layout, max_user_frequency),
      d_sequences(frame->parameters().sequences),
      d_group_sizes(d_layout.n_groups),
      d_is_lost(d_n_references),
      d_values(size_t(n_chains) * d_n_references * d_n_users),
      d_corrected(d_values.size()),
      d_sum(d_spectrum.size()),
      d_means(size_t(d_layout.n_groups) * n_chains * d_n_users),
      d_measured(d_n_references),
      d_variance(d_n_references),
      d_phases(size_t(n_chains) * d_n_references),
      d_user_frequency(d_n_users),
      d_user_phases(size_t(d_n_users) * d_n_references),
      d_smoother(d_n_references, d_layout.n_groups)
{
    for (auto& chip : d_sequences)
        chip = std::conj(chip) / std::sqrt(float(d_layout.n_chips));
}

void phase_tracker::run(const gr_complex* references, const double* noise_var, int64_t users)
{
    d_frequency = 0.0;
    d_has_user_phases = false;
    std::fill(d_phases.begin(), d_phases.end(), 0.0);
    std::fill(d_user_frequency.begin(), d_user_frequency.end(), 0.0);
    std::fill(d_user_phases.begin(), d_user_phases.end(), 0.0);
    load(references, noise_var, users);
    const bool is_comparable =
        std::any_of(d_group_sizes.begin(), d_group_sizes.end(), [](int size) { return size > 1; });
    if (d_window == 0.0 || !is_comparable || d_n_present == 0)
        return;
    find_frequency();
    track_chains();
    if (d_offsets.largest() > 0.0 && d_n_present > 1)
        follow_users();
}

bool phase_tracker::is_present(int64_t users, int user) const
{
    return user >= tagged_users || ((users >> user) & 1);
}

void phase_tracker::load(const gr_complex* references, const double* noise_var, int64_t users)
{
    const int chips = d_layout.n_chips;
    double total = 0.0;
    for (int s = 0; s < d_n_chains; s++)
        total += noise_var[s];
    // A share of the mean stands in where a chain measured next to nothing by chance.
    const double floor = 1e-30 + 1e-6 * total / d_n_chains;
    std::fill(d_is_lost.begin(), d_is_lost.end(), true);
    for (int s = 0; s < d_n_chains; s++) {
        const float scale =
            noise_var[s] > 0.0 ? float(1.0 / std::sqrt(std::max(noise_var[s], floor))) : 0.0f;
        for (int j = 0; j < d_n_references; j++) {
            const size_t at = size_t(s) * d_n_references + j;
            const gr_complex* x = &references[at * chips];
            despread(x, scale, users, &d_values[at * d_n_users]);
            if (std::any_of(x, x + chips, [](gr_complex chip) { return chip != gr_complex(0); }))
                d_is_lost[j] = false;
        }
    }
    d_n_present = 0;
    for (int k = 0; k < d_n_users; k++)
        d_n_present += is_present(users, k);
    std::fill(d_group_sizes.begin(), d_group_sizes.end(), 0);
    for (int j = 0; j < d_n_references; j++)
        d_group_sizes[d_layout.groups[j]] += !d_is_lost[j];
}

void phase_tracker::despread(const gr_complex* chips,
                             float scale,
                             int64_t users,
                             gr_complex* values) const
{
    for (int k = 0; k < d_n_users; k++) {
        const gr_complex* sequence = &d_sequences[size_t(k) * d_layout.n_chips];
        gr_complex sum(0);
        for (int p = 0; p < d_layout.n_chips && is_present(users, k); p++)
            sum += chips[p] * sequence[p];
        values[k] = scale * sum;
    }
}

void phase_tracker::find_frequency()
{
    d_spectrum.scan(d_values.data(), d_group_sizes, 0);
    std::fill(d_sum.begin(), d_sum.end(), 0.0f);
    for (int k = 0; k < d_n_users; k++)
        for (int m = 0; m < d_spectrum.size(); m++)
            d_sum[m] += d_spectrum.of_user(k)[m];
    d_frequency = d_spectrum.highest(d_sum.data(), 0).frequency;
    std::fill(d_user_frequency.begin(), d_user_frequency.end(), d_frequency);
    turn(d_user_frequency);
    std::fill(d_user_frequency.begin(), d_user_frequency.end(), 0.0);
}

// Takes frequencies [K] out of the values.
void phase_tracker::turn(const std::vector<double>& user_frequency)
{
    for (int j = 0; j < d_n_references; j++)
        for (int k = 0; k < d_n_users; k++) {
            const double cycles = std::remainder(user_frequency[k] * d_layout.times[j], 1.0);
            const gr_complex factor(std::polar(1.0, -2 * M_PI * cycles));
            for (int s = 0; s < d_n_chains; s++)
                d_values[(size_t(s) * d_n_references + j) * d_n_users + k] *= factor;
        }
}

void phase_tracker::track_chains()
{
    std::fill(d_phases.begin(), d_phases.end(), 0.0);
    const int step = d_is_per_chain ? 1 : d_n_chains;
    for (int s = 0; s < d_n_chains; s += step) {
        double* phases = &d_phases[size_t(s) * d_n_references];
        track(d_values, { s, s + step, 0, d_n_users }, phases);
        for (int other = 1; other < step; other++)
            std::copy_n(phases, d_n_references, phases + size_t(other) * d_n_references);
    }
}

void phase_tracker::correct_chains()
{
    for (size_t i = 0; i < d_phases.size(); i++) {
        const gr_complex factor(std::polar(1.0, -d_phases[i]));
        for (int k = 0; k < d_n_users; k++)
            d_corrected[i * d_n_users + k] = factor * d_values[i * d_n_users + k];
    }
}

// A walk for all users cannot be told from one user's offset until the offsets are known, and they
// come out better without the walk: hence two rounds.
void phase_tracker::follow_users()
{
    correct_chains();
    for (int round = 0; round < 2 && d_offsets.find(d_corrected.data(), d_group_sizes); round++) {
        const auto& values = round == 0 ? d_values : d_corrected;
        const auto& own = d_offsets.estimate(values.data(), d_group_sizes);
        for (int k = 0; k < d_n_users; k++)
            d_user_frequency[k] += own[k];
        turn(own);
        track_chains();
        correct_chains();
        d_has_user_phases = true;
    }
    for (int k = 0; k < d_n_users && !d_has_user_phases; k++) {
        measure(d_corrected, { 0, d_n_chains, k, k + 1 }, &d_user_phases[0]);
        d_has_user_phases = walk_variance(reason_sigmas) > 0.0;
    }
    for (int k = 0; k < d_n_users && d_has_user_phases; k++)
        track(d_corrected, { 0, d_n_chains, k, k + 1 }, &d_user_phases[size_t(k) * d_n_references]);
}

// Phase of each reference against the mean of its group, and the variance of that.
void phase_tracker::measure(const std::vector<gr_complex>& values, streams of, const double* phases)
{
    std::fill(d_means.begin(), d_means.end(), gr_complex(0));
    for (int j = 0; j < d_n_references; j++) {
        if (d_is_lost[j])
            continue;
        const gr_complex turn(std::polar(1.0 / d_group_sizes[d_layout.groups[j]], -phases[j]));
        for (int s = of.first_chain; s < of.last_chain; s++)
            for (int k = of.first_user; k < of.last_user; k++)
                d_means[(size_t(d_layout.groups[j]) * d_n_chains + s) * d_n_users + k] +=
                    values[(size_t(s) * d_n_references + j) * d_n_users + k] * turn;
    }
    const double dimensions = double(of.last_chain - of.first_chain) *
                              std::min(of.last_user - of.first_user, d_n_present);
    for (int j = 0; j < d_n_references; j++) {
        d_measured[j] = phases[j];
        d_variance[j] = unknown_variance;
        if (d_is_lost[j])
            continue;
        gr_complexd product(0);
        double energy = 0.0;
        for (int s = of.first_chain; s < of.last_chain; s++)
            for (int k = of.first_user; k < of.last_user; k++) {
                const auto mean =
                    d_means[(size_t(d_layout.groups[j]) * d_n_chains + s) * d_n_users + k];
                product += gr_complexd(values[(size_t(s) * d_n_references + j) * d_n_users + k] *
                                       std::conj(mean));
                energy += std::norm(mean);
            }
        // The mean's own noise is no signal.
        const double snr = std::max(energy - dimensions / d_group_sizes[d_layout.groups[j]], 0.1);
        d_measured[j] = std::arg(product);
        d_variance[j] = 0.5 / snr + 0.25 / (snr * snr);
    }
}

// Variance per symbol of the steps, as far as the differences show more than noise; 0 unless they
// do so by as many deviations.
double phase_tracker::walk_variance(double sigmas) const
{
    double squares = 0.0, noise = 0.0, noise_squares = 0.0, time = 0.0;
    for (int j = 0; j < d_n_references; j++)
        for (int k = j + 1; k < d_n_references && !d_is_lost[j]; k++)
            if (d_layout.groups[k] == d_layout.groups[j] && !d_is_lost[k]) {
                const double both = d_variance[j] + d_variance[k];
                squares += std::pow(wrapped(d_measured[k] - d_measured[j]), 2);
                noise += both;
                noise_squares += 3 * both * both; // neighbouring differences share a reference
                time += d_layout.times[k] - d_layout.times[j];
                break;
            }
    const double excess = squares - noise, spread = std::sqrt(noise_squares);
    return excess > sigmas * spread ? (excess - walk_sigmas * spread) / std::max(time, 1.0) : 0.0;
}

// Smoothed phases [J] of the streams, as they were where they show no more than noise.
void phase_tracker::track(const std::vector<gr_complex>& values, streams of, double* phases)
{
    for (int round = 0; round < 3; round++) {
        measure(values, of, phases);
        const double variance = walk_variance(walk_sigmas);
        if (variance <= 0.0)
            return;
        // A phase near the smoothed one, rather than between -pi and pi.
        for (int j = 0; j < d_n_references; j++)
            d_measured[j] = phases[j] + wrapped(d_measured[j] - phases[j]);
        d_smoother.run(d_layout.times, d_layout.groups, d_measured, d_variance, variance, phases);
    }
}

// Phases [J] of the references, interpolated.
double phase_tracker::between(const double* phases, double symbol) const
{
    const auto& times = d_layout.times;
    const auto next = std::upper_bound(times.begin(), times.end(), symbol);
    if (next == times.begin())
        return phases[0];
    const size_t j = size_t(next - times.begin());
    if (next == times.end())
        return phases[j - 1];
    const double share = (symbol - times[j - 1]) / (times[j] - times[j - 1]);
    return phases[j - 1] + share * (phases[j] - phases[j - 1]);
}

double phase_tracker::phase(int chain, double symbol) const
{
    const double turned = 2 * M_PI * std::remainder(d_frequency * symbol, 1.0);
    if (d_n_references == 0)
        return turned;
    return turned + between(&d_phases[size_t(chain) * d_n_references], symbol);
}

double phase_tracker::user_phase(int user, double symbol, double origin) const
{
    const double turned = 2 * M_PI * d_user_frequency[user] * (symbol - origin);
    if (d_n_references == 0)
        return turned;
    return turned + between(&d_user_phases[size_t(user) * d_n_references], symbol);
}

double phase_tracker::phase_rms() const
{
    double sum = 0.0, squares = 0.0;
    for (double phase : d_phases) {
        sum += phase;
        squares += phase * phase;
    }
    const double n = std::max<double>(d_phases.size(), 1.0);
    return std::sqrt(std::max(squares / n - sum * sum / (n * n), 0.0));
}

} // namespace thzum
} // namespace gr
