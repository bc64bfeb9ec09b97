/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "sync/phase_tracker.h"
#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {

namespace {

constexpr int max_grid = 1 << 13;

double wrapped(double angle) { return std::remainder(angle, 2 * M_PI); }

} // namespace

/*!
 * Most probable phases phi_j of a random walk, seen as psi_j = phi_j + mu_g + noise with an offset
 * mu_g per group, that of the first group being zero.
 */
class phase_tracker::smoother
{
public:
    smoother(int n_references, int n_groups)
        : d_n(n_references),
          d_matrix(n_references + n_groups - 1, n_references + n_groups - 1),
          d_right(n_references + n_groups - 1),
          d_solver(n_references + n_groups - 1)
    {
    }

    void run(const std::vector<double>& times,
             const std::vector<int>& groups,
             const std::vector<double>& psi,
             const std::vector<double>& variance,
             double walk_variance,
             double* phases)
    {
        d_matrix.setZero();
        d_right.setZero();
        // A weak prior keeps the offset of a group without references determined.
        d_matrix.diagonal().tail(d_matrix.rows() - d_n).setConstant(1e-9);
        for (int j = 0; j < d_n; j++) {
            const double weight = 1.0 / variance[j];
            d_matrix(j, j) += weight;
            d_right(j) += weight * psi[j];
            if (groups[j] > 0) {
                const int m = d_n + groups[j] - 1;
                d_matrix(m, m) += weight;
                d_matrix(m, j) += weight;
                d_matrix(j, m) += weight;
                d_right(m) += weight * psi[j];
            }
            if (j == 0)
                continue;
            const double tie = 1.0 / (walk_variance * (times[j] - times[j - 1]));
            d_matrix(j, j) += tie;
            d_matrix(j - 1, j - 1) += tie;
            d_matrix(j, j - 1) -= tie;
            d_matrix(j - 1, j) -= tie;
        }
        d_solver.compute(d_matrix);
        d_right = d_solver.solve(d_right);
        std::copy_n(d_right.data(), d_n, phases);
    }

private:
    int d_n;
    Eigen::MatrixXd d_matrix;
    Eigen::VectorXd d_right;
    Eigen::LDLT<Eigen::MatrixXd> d_solver;
};

phase_tracker::phase_tracker(air_frame::sptr frame, int n_chains, bool is_per_chain)
    : d_frame(frame),
      d_n_chains(n_chains),
      d_n_references(int(frame->references().size())),
      d_n_chips(frame->n_chips()),
      d_n_groups(frame->n_reference_groups()),
      d_is_per_chain(is_per_chain),
      d_group_sizes(d_n_groups),
      d_values(size_t(n_chains) * d_n_references * d_n_chips),
      d_turns(d_n_references),
      d_means(size_t(d_n_groups) * n_chains * d_n_chips),
      d_measured(d_n_references),
      d_variance(d_n_references),
      d_phases(size_t(n_chains) * d_n_references),
      d_smoother(new smoother(d_n_references, d_n_groups))
{
    std::vector<double> last(d_n_groups, -1.0);
    double largest_gap = 0.0;
    for (const auto& each : frame->references()) {
        d_times.push_back(each.first + 0.5 * (d_n_chips - 1));
        d_groups.push_back(each.group);
        d_group_sizes[each.group]++;
        if (last[each.group] >= 0.0)
            largest_gap = std::max(largest_gap, d_times.back() - last[each.group]);
        last[each.group] = d_times.back();
    }
    if (largest_gap == 0.0)
        return;
    // Half way to the next frequency that looks the same, less a margin.
    d_window = 0.4 / largest_gap;
    d_step = std::max(1.0 / (8.0 * (d_times.back() - d_times.front())), 2 * d_window / max_grid);
}

phase_tracker::~phase_tracker() = default;

void phase_tracker::run(const gr_complex* references, const double* noise_var)
{
    const size_t per_chain = size_t(d_n_references) * d_n_chips;
    double total = 0.0;
    for (int s = 0; s < d_n_chains; s++)
        total += noise_var[s];
    // A share of the mean stands in where a chain measured next to nothing by chance.
    const double floor = 1e-30 + 1e-6 * total / d_n_chains;
    for (int s = 0; s < d_n_chains; s++) {
        const float scale =
            noise_var[s] > 0.0 ? float(1.0 / std::sqrt(std::max(noise_var[s], floor))) : 0.0f;
        for (size_t i = 0; i < per_chain; i++)
            d_values[s * per_chain + i] = scale * references[s * per_chain + i];
    }
    d_frequency = 0.0;
    std::fill(d_phases.begin(), d_phases.end(), 0.0);
    if (d_window == 0.0)
        return;
    find_frequency();
    if (!d_is_per_chain) {
        track(0, d_n_chains);
        for (int s = 1; s < d_n_chains; s++)
            std::copy_n(d_phases.begin(), d_n_references, d_phases.begin() + s * d_n_references);
        return;
    }
    for (int s = 0; s < d_n_chains; s++)
        track(s, s + 1);
}

double phase_tracker::likelihood(double frequency)
{
    for (int j = 0; j < d_n_references; j++)
        d_turns[j] =
            gr_complex(std::polar(1.0, -2 * M_PI * std::remainder(frequency * d_times[j], 1.0)));
    std::fill(d_means.begin(), d_means.end(), gr_complex(0));
    const gr_complex* values = d_values.data();
    for (int s = 0; s < d_n_chains; s++)
        for (int j = 0; j < d_n_references; j++) {
            gr_complex* mean = &d_means[(size_t(d_groups[j]) * d_n_chains + s) * d_n_chips];
            for (int p = 0; p < d_n_chips; p++)
                mean[p] += *values++ * d_turns[j];
        }
    // A group of n has n times the energy of its mean.
    double sum = 0.0;
    const size_t size = size_t(d_n_chains) * d_n_chips;
    for (int g = 0; g < d_n_groups; g++) {
        double energy = 0.0;
        for (size_t i = g * size; i < (g + 1) * size; i++)
            energy += std::norm(d_means[i]);
        sum += energy / std::max(d_group_sizes[g], 1);
    }
    return sum;
}

void phase_tracker::find_frequency()
{
    const int most = int(d_window / d_step);
    double best = -1.0;
    int at = 0;
    for (int m = -most; m <= most; m++) {
        const double value = likelihood(m * d_step);
        if (value > best) {
            best = value;
            at = m;
        }
    }
    const double below = likelihood((at - 1) * d_step), above = likelihood((at + 1) * d_step);
    const double bend = below - 2 * best + above;
    const double fraction = bend < 0.0 ? std::clamp(0.5 * (below - above) / bend, -0.5, 0.5) : 0.0;
    d_frequency = (at + fraction) * d_step;
    likelihood(d_frequency); // leaves the turns of this frequency
    for (int s = 0; s < d_n_chains; s++)
        for (int j = 0; j < d_n_references; j++)
            for (int p = 0; p < d_n_chips; p++)
                d_values[(size_t(s) * d_n_references + j) * d_n_chips + p] *= d_turns[j];
}

// Phase of each reference against the mean of its group, and the variance of that.
void phase_tracker::measure(int first_chain, int last_chain, const double* phases)
{
    std::fill(d_means.begin(), d_means.end(), gr_complex(0));
    for (int s = first_chain; s < last_chain; s++)
        for (int j = 0; j < d_n_references; j++) {
            const gr_complex turn(std::polar(1.0 / d_group_sizes[d_groups[j]], -phases[j]));
            for (int p = 0; p < d_n_chips; p++)
                d_means[(size_t(d_groups[j]) * d_n_chains + s) * d_n_chips + p] +=
                    d_values[(size_t(s) * d_n_references + j) * d_n_chips + p] * turn;
        }
    const double dimensions = double(last_chain - first_chain) * d_n_chips;
    for (int j = 0; j < d_n_references; j++) {
        gr_complexd product(0);
        double energy = 0.0;
        for (int s = first_chain; s < last_chain; s++)
            for (int p = 0; p < d_n_chips; p++) {
                const auto mean = d_means[(size_t(d_groups[j]) * d_n_chains + s) * d_n_chips + p];
                product += gr_complexd(d_values[(size_t(s) * d_n_references + j) * d_n_chips + p] *
                                       std::conj(mean));
                energy += std::norm(mean);
            }
        // The mean's own noise is no signal.
        const double snr = std::max(energy - dimensions / d_group_sizes[d_groups[j]], 0.1);
        d_measured[j] = std::arg(product);
        d_variance[j] = 0.5 / snr + 0.25 / (snr * snr);
    }
}

// Variance per symbol of the steps, as far as the differences show more than noise.
double phase_tracker::walk_variance() const
{
    double squares = 0.0, noise = 0.0, noise_squares = 0.0, time = 0.0;
    for (int j = 0; j < d_n_references; j++)
        for (int k = j + 1; k < d_n_references; k++)
            if (d_groups[k] == d_groups[j]) {
                const double both = d_variance[j] + d_variance[k];
                squares += std::pow(wrapped(d_measured[k] - d_measured[j]), 2);
                noise += both;
                noise_squares += 3 * both * both; // neighbouring differences share a reference
                time += d_times[k] - d_times[j];
                break;
            }
    return std::max(squares - noise - 1.5 * std::sqrt(noise_squares), 0.0) / std::max(time, 1.0);
}

void phase_tracker::track(int first_chain, int last_chain)
{
    double* phases = &d_phases[size_t(first_chain) * d_n_references];
    for (int round = 0; round < 3; round++) {
        measure(first_chain, last_chain, phases);
        const double variance = walk_variance();
        if (variance <= 0.0) {
            if (round == 0)
                return;
            break;
        }
        // A phase near the smoothed one, rather than between -pi and pi.
        for (int j = 0; j < d_n_references; j++)
            d_measured[j] = phases[j] + wrapped(d_measured[j] - phases[j]);
        d_smoother->run(d_times, d_groups, d_measured, d_variance, variance, phases);
    }
}

double phase_tracker::phase(int chain, double symbol) const
{
    const double turned = 2 * M_PI * std::remainder(d_frequency * symbol, 1.0);
    if (d_n_references == 0)
        return turned;
    const double* phases = &d_phases[size_t(chain) * d_n_references];
    const auto next = std::upper_bound(d_times.begin(), d_times.end(), symbol);
    if (next == d_times.begin())
        return turned + phases[0];
    const size_t j = size_t(next - d_times.begin());
    if (next == d_times.end())
        return turned + phases[j - 1];
    const double share = (symbol - d_times[j - 1]) / (d_times[j] - d_times[j - 1]);
    return turned + phases[j - 1] + share * (phases[j] - phases[j - 1]);
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
