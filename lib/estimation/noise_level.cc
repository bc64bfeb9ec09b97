/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/false_alarm.h"
#include "estimation/noise_level.h"
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

constexpr double rim = 1.02;         // of the disc, as the search for waves has it
constexpr double false_alarm = 0.3;  // a path too many costs little, one too few is taken for noise
constexpr int steps = 2;             // Gauss-Newton steps after each path
constexpr double gain_share = 0.02;  // of noise_var: a step that explains less ends the refinement
constexpr double most_taken = 0.9;   // of a pilot's noise, by fitted paths
constexpr double clear_evidence = 5.0; // twice the log-likelihood ratio that one more unknown has to earn
constexpr int most_scorings = 40;
constexpr double scoring_tolerance = 1e-5;

/*! Covariance of the elements of one subarray, of waves that fill the visible disc. */
Eigen::MatrixXd disc_covariance(const array_shape& shape, double spacing)
{
    const int n = shape.elements();
    Eigen::MatrixXd covariance(n, n);
    for (int i = 0; i < n; ++i)
        for (int j = 0; j < n; ++j) {
            const double distance =
                std::hypot(i / shape.cols - j / shape.cols, i % shape.cols - j % shape.cols);
            const double x = 2.0 * M_PI * spacing * rim * distance;
            covariance(i, j) = x > 0.0 ? 2.0 * ::j1(x) / x : 1.0;
        }
    return covariance;
}

/*! G B of one subarray, [R][n]. */
std::vector<Eigen::MatrixXcd> observation_matrices(pilot_operator& op)
{
    const int subarrays = op.shape().n_subarrays, rank = op.rank(), n = op.shape().elements();
    std::vector<Eigen::MatrixXcd> matrices(subarrays, Eigen::MatrixXcd(rank, n));
    Eigen::MatrixXcf unit = Eigen::MatrixXcf::Zero(rank, subarrays);
    Eigen::MatrixXcf row(n, subarrays);
    for (int r = 0; r < rank; ++r) {
        unit.row(r).setOnes();
        op.backproject(unit.data(), row.data(), 1);
        unit.row(r).setZero();
        for (int s = 0; s < subarrays; ++s)
            matrices[s].row(r) =
                double(op.gains()[s * rank + r]) * row.col(s).adjoint().cast<std::complex<double>>();
    }
    return matrices;
}

/*! Eigenvectors in columns, eigenvalues ascending; real where the matrix is. */
template <class Matrix>
Eigen::MatrixXcd eigenvectors(const Matrix& matrix, Eigen::VectorXd& values)
{
    const Eigen::SelfAdjointEigenSolver<Matrix> eigen(matrix);
    values = eigen.eigenvalues();
    return eigen.eigenvectors().template cast<std::complex<double>>();
}

} // namespace

noise_level::path_removal::path_removal(const observation_model::sptr& model,
                                        const visible_region::sptr& region,
                                        double spacing,
                                        int max_paths)
    : fit(model, region, { spacing, {}, {} }, max_paths), search(fit.gram(), region, spacing)
{
}

noise_level::noise_level(const pilot_operator::sptr& op, double spacing, int max_paths)
    : d_op(op),
      d_live(0),
      d_max_paths(max_paths),
      d_u(op->gains().size()),
      d_rotated(d_u.size()),
      d_h(op->shape().antennas()),
      d_seen(d_u.size())
{
    factorize(spacing);
    prepare_removal(spacing, max_paths);
}

void noise_level::factorize(double spacing)
{
    const auto& shape = d_op->shape();
    const int rank = d_op->rank();
    const Eigen::MatrixXd disc = disc_covariance(shape, spacing);
    std::vector<Eigen::MatrixXcd> rotations;
    d_eigenvalue_sum = 0.0;
    for (const auto& seen : observation_matrices(*d_op)) {
        const int first = static_cast<int>(rotations.size()) * rank;
        std::vector<int> reached;
        for (int r = 0; r < rank; ++r)
            if (d_op->noise_reaches()[first + r])
                reached.push_back(r);
        const int count = static_cast<int>(reached.size());
        Eigen::MatrixXcd rotation = Eigen::MatrixXcd::Zero(rank, rank);
        if (count > 0) {
            Eigen::MatrixXcd rows(count, shape.elements());
            for (int i = 0; i < count; ++i)
                rows.row(i) = seen.row(reached[i]);
            const Eigen::MatrixXcd covariance = rows * disc * rows.adjoint();
            Eigen::VectorXd values;
            const Eigen::MatrixXcd vectors =
                (covariance.imag().array() == 0.0).all()
                    ? eigenvectors(Eigen::MatrixXd(covariance.real()), values)
                    : eigenvectors(covariance, values);
            for (int i = 0; i < count; ++i) {
                for (int k = 0; k < count; ++k)
                    rotation(i, reached[k]) = std::conj(vectors(k, i));
                d_place.push_back(first + i);
                d_eigenvalue.push_back(std::max(values[i], 0.0));
                d_eigenvalue_sum += d_eigenvalue.back();
            }
            d_live++;
        }
        rotations.push_back(rotation);
    }
    d_rotation = block_matrix(rotations);
    d_energy.resize(d_place.size());
    d_share.resize(d_place.size());
}

void noise_level::prepare_removal(double spacing, int max_paths)
{
    // Paths may take half of the pilots at most: with few slots, none is sought.
    const int affordable = static_cast<int>(d_place.size()) / (2 * (d_live + 1));
    d_max_paths = std::min(max_paths, affordable);
    if (d_max_paths == 0)
        return;
    const auto& shape = d_op->shape();
    const auto region = visible_region::make(visible_region::axis::for_spacing(shape.rows, spacing),
                                             visible_region::axis::for_spacing(shape.cols, spacing));
    d_model = observation_model::make(d_op, region);
    d_removal = std::make_unique<path_removal>(d_model, region, spacing, d_max_paths);
    d_threshold = detection_threshold(d_removal->search.cells(), d_live, false_alarm);
    d_y.resize(d_op->n_observations());
    d_z.resize(d_model->singular_values().size());
    d_c.resize(d_model->coefficients());
    d_re.resize(size_t(d_removal->fit.gram().subarrays()) * d_removal->fit.gram().stride());
    d_im.resize(d_re.size());
}

double noise_level::estimate(const gr_complex* y)
{
    d_op->whiten(y, d_u.data(), 1);
    double total = 0.0;
    for (const auto& value : d_u)
        total += std::norm(std::complex<double>(value));
    if (total == 0.0)
        return 0.0;
    // At unit power the squares of single precision neither overflow nor vanish.
    const double power = total / d_place.size();
    const float scale = static_cast<float>(1.0 / std::sqrt(power));
    for (auto& value : d_u)
        value *= scale;
    read_energies(d_u.data());
    set_shares(0);
    auto alone = noise_alone();
    auto both = fit_both(alone.noise);
    if (d_removal) {
        std::transform(y, y + d_y.size(), d_y.begin(), [scale](auto value) { return scale * value; });
        set_shares(remove_paths(d_y.data(), both.noise));
        read_energies(d_u.data());
        alone = noise_alone();
        both = fit_both(both.noise);
    }
    const bool explained = 2.0 * (both.log_likelihood - alone.log_likelihood) < clear_evidence;
    return power * (explained ? alone.noise : both.noise);
}

void noise_level::read_energies(const gr_complex* u)
{
    d_rotation.multiply(u, d_rotated.data(), 1);
    for (size_t i = 0; i < d_place.size(); ++i)
        d_energy[i] = std::norm(std::complex<double>(d_rotated[d_place[i]]));
}

int noise_level::remove_paths(const gr_complex* y, double noise_var)
{
    auto& fit = d_removal->fit;
    d_model->observe(y, d_z.data(), nullptr, 1);
    fit.load(d_z.data());
    const double count = static_cast<double>(d_place.size());
    double explained = 0.0; // of pilots of unit power
    while (fit.paths() < d_max_paths) {
        const double left = (count - explained) / (count - fit.paths() * (d_live + 1.0));
        const double level = std::max(noise_var, left);
        fit.residual(d_re.data(), d_im.data());
        const auto peak = d_removal->search.strongest(d_re.data(), d_im.data());
        if (peak.energy < level * d_threshold)
            break;
        fit.set(fit.paths(), { false, peak.ux, peak.uy, 0.0 });
        explained = fit.refine(0, fit.paths(), steps, gain_share * level);
    }
    fit.synthesize(d_c.data());
    d_model->dict()->synthesize(d_c.data(), d_h.data(), d_op->shape().n_subarrays);
    d_op->project(d_h.data(), d_seen.data(), 1);
    for (size_t i = 0; i < d_u.size(); ++i)
        d_u[i] -= d_op->gains()[i] * d_seen[i];
    return fit.paths();
}

// A path's live + 1 complex unknowns take as much noise, on average from where waves are seen.
void noise_level::set_shares(int paths)
{
    const double taken = paths * (d_live + 1.0) / d_eigenvalue_sum;
    for (size_t i = 0; i < d_share.size(); ++i)
        d_share[i] = 1.0 - std::min(most_taken, taken * d_eigenvalue[i]);
}

noise_level::variances noise_level::noise_alone() const
{
    double energy = 0.0, log_sum = 0.0;
    for (size_t i = 0; i < d_energy.size(); ++i) {
        energy += d_energy[i] / d_share[i];
        log_sum += std::log(d_share[i]);
    }
    const double noise = energy / d_energy.size();
    return { 0.0, noise, -log_sum - d_energy.size() * (std::log(noise) + 1.0) };
}

noise_level::variances noise_level::fit_both(double noise_var) const
{
    constexpr double smallest_step = 1e-3; // of the noise, per scoring
    constexpr double floor = 1e-9;         // of the power of the pilots, which is 1
    double channel = noise_var, noise = 0.5 * noise_var;
    for (int k = 0; k < most_scorings; ++k) {
        double ll = 0.0, ls = 0.0, ss = 0.0, lp = 0.0, sp = 0.0;
        for (size_t i = 0; i < d_energy.size(); ++i) {
            const double l = d_eigenvalue[i], s = d_share[i];
            const double expected = channel * l + noise * s;
            const double weight = 1.0 / (expected * expected);
            ll += weight * l * l;
            ls += weight * l * s;
            ss += weight * s * s;
            lp += weight * l * d_energy[i];
            sp += weight * s * d_energy[i];
        }
        const double determinant = ll * ss - ls * ls;
        const double before = noise;
        channel = determinant > 0.0 ? (lp * ss - sp * ls) / determinant : 0.0;
        noise = determinant > 0.0 ? (sp * ll - lp * ls) / determinant : 0.0;
        if (!(channel > 0.0)) {
            channel = 0.0;
            noise = sp / ss;
        }
        noise = std::max({ noise, smallest_step * before, floor });
        if (std::abs(noise - before) < scoring_tolerance * noise)
            break;
    }
    double log_likelihood = 0.0;
    for (size_t i = 0; i < d_energy.size(); ++i) {
        const double expected = channel * d_eigenvalue[i] + noise * d_share[i];
        log_likelihood -= std::log(expected) + d_energy[i] / expected;
    }
    return { channel, noise, log_likelihood };
}

} // namespace estimation
} // namespace thzum
} // namespace gr
