/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/fit_kernels.h"
#include "estimation/path_fit.h"
#include "measurement/matrix_kernels.h"
#include "measurement/padding.h"
#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

constexpr double first_damping = 1e-3;

} // namespace

double path_fit::refine(int first, int count, int steps, double enough)
{
    climb(first, count, steps, enough);
    if (!any_expanded())
        return d_explained;
    recentre();
    return solve();
}

double path_fit::climb(int first, int count, int steps, double enough)
{
    solve();
    double damping = first_damping;
    bool is_exact = is_coherent() || any_expanded();
    for (int step = 0; step < steps; ++step) {
        const double before = d_explained;
        const int parameters =
            is_exact ? exact_system(first, count) : expected_system(first, count);
        if (!try_step(first, count, parameters, damping, is_exact)) {
            damping *= is_exact ? 100.0 : 1.0;
            is_exact = true;
            continue;
        }
        damping *= 0.1;
        if (d_explained - before < enough)
            break;
    }
    return d_explained;
}

int path_fit::exact_system(int first, int count)
{
    require_slopes();
    eliminate_gains(first, count);
    int parameters = 0;
    for (int p = first; p < first + count; ++p)
        parameters += this->parameters(p);
    const int coherent = d_paths - d_free;
    for (int i = 0; i < parameters; ++i) {
        const complexd* row = &d_shared[size_t(coherent + i) * d_unknowns + coherent];
        for (int j = i; j < parameters; ++j)
            d_hessian[size_t(i) * parameters + j] = d_hessian[size_t(j) * parameters + i] =
                row[j].real();
        d_gradient[i] = row[parameters].real();
    }
    return parameters;
}

// With a gain of its own, a path's slope in a subarray is that gain times a real column that is the
// same everywhere. What is left of these columns behind the waves is then common to all subarrays,
// and the sum over them is a sum of gains.
int path_fit::expected_system(int first, int count)
{
    const int parameters = 2 * count, waves = d_paths, width = waves + parameters;
    project_residual(first, count);
    expected_slopes(first, count);
    for (int p = first; p < first + count; ++p)
        for (int s = 0; s < d_subarrays; ++s) {
            const double share = inner(s, p, p).real() / d_wave_energy[p];
            d_weighted[size_t(p) * d_subarrays + s] =
                d_layout.spacing * std::sqrt(share) * d_gain[size_t(p) * d_subarrays + s];
        }
    for (int i = 0; i < parameters; ++i)
        for (int j = i; j < parameters; ++j) {
            const complexd* a = &d_weighted[size_t(first + i / 2) * d_subarrays];
            const complexd* b = &d_weighted[size_t(first + j / 2) * d_subarrays];
            double sum = 0.0;
            for (int s = 0; s < d_subarrays; ++s)
                sum += a[s].real() * b[s].real() + a[s].imag() * b[s].imag();
            d_hessian[size_t(i) * parameters + j] = d_hessian[size_t(j) * parameters + i] =
                sum * d_overlap[size_t(waves + i) * width + waves + j];
        }
    return parameters;
}

// Gradient of the explained energy: the residual, seen by the slopes of the moving paths.
void path_fit::project_residual(int first, int count)
{
    const int length = stride(), used = round_up(d_paths, row_multiple),
              half = round_up(d_subarrays, 2);
    residual(d_residual.data(), &d_residual[size_t(half) * length]);
    for (int kind = 1; kind < columns_per_path; ++kind) {
        multiply_columns(&d_wave[column(0, index(0, kind))],
                         used,
                         length,
                         d_residual.data(),
                         2 * half,
                         d_out.data());
        for (int p = first; p < first + count; ++p) {
            double sum = 0.0;
            for (int s = 0; s < d_subarrays; ++s) {
                const complexd gain = d_gain[size_t(p) * d_subarrays + s];
                sum += gain.real() * d_out[size_t(s) * used + p] +
                       gain.imag() * d_out[size_t(half + s) * used + p];
            }
            d_gradient[2 * (p - first) + kind - 1] = d_layout.spacing * sum;
        }
    }
}

// Inner products over all antennas of all waves and the slopes of the moving paths, upper triangle,
// with the waves then eliminated.
void path_fit::expected_slopes(int first, int count)
{
    const int length = stride(), used = round_up(d_paths, row_multiple);
    const int width = d_paths + 2 * count;
    const auto row_of = [&](int kind, int p) {
        return kind ? d_paths + 2 * (p - first) + kind - 1 : p;
    };
    for (int kind = 0; kind < columns_per_path; ++kind)
        for (int other = 0; other <= kind; ++other) {
            multiply_columns(&d_wave[column(0, index(0, other))],
                             used,
                             length,
                             &d_wave[column(0, index(0, kind))],
                             used,
                             d_out.data());
            for (int p = kind ? first : 0; p < (kind ? first + count : d_paths); ++p)
                for (int q = other ? first : 0; q < (other ? first + count : d_paths); ++q) {
                    const int i = row_of(other, q), j = row_of(kind, p);
                    d_overlap[size_t(std::min(i, j)) * width + std::max(i, j)] =
                        d_out[size_t(p) * used + q];
                }
        }
    for (int p = 0; p < d_paths; ++p)
        d_wave_energy[p] = d_overlap[size_t(p) * width + p];
    eliminate(d_overlap.data(), width, width, d_paths);
}

// In one go where any of them leaves its columns.
void path_fit::put(int first, int count, const fitted_path* paths, bool may_expand)
{
    bool near = may_expand;
    for (int i = 0; i < count; ++i) {
        near = near && reaches(first + i, paths[i]);
        d_path[first + i] = paths[i];
    }
    if (!near) {
        place(first, count);
        return;
    }
    for (int i = 0; i < count; ++i)
        expand(first + i);
}

// One damped step; false, with everything as before, where it does not pay.
bool path_fit::try_step(int first, int count, int parameters, double damping, bool may_expand)
{
    for (int i = 0; i < parameters; ++i) {
        double& diagonal = d_hessian[size_t(i) * parameters + i];
        diagonal = diagonal * (1.0 + damping) + 1e-30;
    }
    Eigen::Map<Eigen::MatrixXd> hessian(d_hessian.data(), parameters, parameters);
    Eigen::LLT<Eigen::Ref<Eigen::MatrixXd>> factor(hessian);
    if (factor.info() != Eigen::Success)
        return false;
    Eigen::Map<Eigen::VectorXd> step(d_step.data(), parameters);
    step = Eigen::Map<const Eigen::VectorXd>(d_gradient.data(), parameters);
    factor.solveInPlace(step);

    const double before = d_explained;
    d_moves += count;
    std::copy_n(&d_path[first], count, d_before.begin());
    for (int p = first, at = 0; p < first + count; ++p) {
        const int own = this->parameters(p);
        d_trial[p - first] = moved(d_path[p], &d_step[at], d_limits);
        at += own;
    }
    put(first, count, d_trial.data(), may_expand);
    if (solve() > before)
        return true;
    put(first, count, d_before.data(), may_expand);
    solve();
    return false;
}

} // namespace estimation
} // namespace thzum
} // namespace gr
