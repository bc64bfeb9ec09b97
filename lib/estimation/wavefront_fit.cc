/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/fit_kernels.h"
#include "estimation/wavefront_fit.h"
#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

constexpr int kinds = 3; // the wave of a subarray and its slopes along u and v
constexpr int parameters = 3;
constexpr double first_damping = 1e-3;

} // namespace

wavefront_fit::wavefront_fit(const array_layout& layout, const path_limits& limits)
    : d_layout(layout), d_limits(limits), d_column(layout.x.size() * columns * kinds)
{
}

wavefront_fit::products
wavefront_fit::evaluate(const reduced_path& reduced, const fitted_path& path, int count)
{
    products sums = {};
    const int subarrays = static_cast<int>(d_layout.x.size());
    for (int s = 0; s < subarrays; ++s) {
        const local_wave wave = wave_at(d_layout, path, s);
        const complexd turn = std::polar(1.0, wave.phase);
        const double du = wave.u - reduced.u[s], dv = wave.v - reduced.v[s];
        complexd* x = &d_column[size_t(s) * columns * kinds];
        x[0] = turn;
        x[1] = turn * du;
        x[2] = turn * dv;
        for (int k = 1; k < count; ++k) {
            const complexd along(0.0, wave.phase_slope[k - 1]);
            x[kinds * k] = multiply(turn, along);
            x[kinds * k + 1] = multiply(turn, along * du + wave.u_slope[k - 1]);
            x[kinds * k + 2] = multiply(turn, along * dv + wave.v_slope[k - 1]);
        }
        const complexd* normal = &reduced.normal[size_t(kinds) * kinds * s];
        const complexd* match = &reduced.match[size_t(kinds) * s];
        for (int k = 0; k < count; ++k) {
            complexd seen[kinds] = {};
            for (int i = 0; i < kinds; ++i) {
                for (int j = 0; j < kinds; ++j)
                    seen[i] += multiply(normal[kinds * i + j], x[kinds * k + j]);
                sums.match[k] += multiply(std::conj(x[kinds * k + i]), match[i]);
            }
            for (int l = 0; l <= k; ++l)
                for (int i = 0; i < kinds; ++i)
                    sums.inner[l][k] += multiply(std::conj(x[kinds * l + i]), seen[i]);
        }
    }
    for (int c = 0; c < reduced.coupled; ++c) {
        const complexd* w = &reduced.coupling[size_t(c) * subarrays * kinds];
        complexd tie[columns] = {};
        for (int s = 0; s < subarrays; ++s)
            for (int k = 0; k < count; ++k)
                for (int i = 0; i < kinds; ++i)
                    tie[k] +=
                        multiply(w[kinds * s + i], d_column[(size_t(s) * columns + k) * kinds + i]);
        for (int k = 0; k < count; ++k)
            for (int l = 0; l <= k; ++l)
                sums.inner[l][k] -= multiply(std::conj(tie[l]), tie[k]);
    }
    return sums;
}

double wavefront_fit::energy(const reduced_path& reduced, const fitted_path& path)
{
    const products sums = evaluate(reduced, path, 1);
    const double own = sums.inner[0][0].real();
    return reduced.explained + (own > 0.0 ? std::norm(sums.match[0]) / own : 0.0);
}

double wavefront_fit::energy(const reduced_path& reduced, const fitted_path& path, double* gradient)
{
    const products sums = evaluate(reduced, path, columns);
    const double own = sums.inner[0][0].real();
    const complexd gain = own > 0.0 ? sums.match[0] / own : 0.0;
    for (int k = 1; k < columns; ++k)
        gradient[k - 1] =
            2.0 * std::real(std::conj(gain) * (sums.match[k] - std::conj(sums.inner[0][k]) * gain));
    return reduced.explained + std::norm(gain) * own;
}

double
wavefront_fit::refine(const reduced_path& reduced, fitted_path* path, int steps, double enough)
{
    double damping = first_damping;
    products sums = evaluate(reduced, *path, columns);
    const auto explained = [&](const products& x) {
        const double own = x.inner[0][0].real();
        return own > 0.0 ? std::norm(x.match[0]) / own : 0.0;
    };
    double best = explained(sums);
    for (int step = 0; step < steps && best > 0.0; ++step) {
        const double own = sums.inner[0][0].real();
        const complexd gain = sums.match[0] / own;
        Eigen::Matrix3d hessian;
        Eigen::Vector3d gradient;
        for (int k = 0; k < parameters; ++k) {
            const complexd wave = std::conj(sums.inner[0][k + 1]);
            gradient[k] =
                std::real(multiply(std::conj(gain), sums.match[k + 1] - multiply(wave, gain)));
            for (int l = k; l < parameters; ++l)
                hessian(k, l) = hessian(l, k) =
                    std::norm(gain) * (sums.inner[k + 1][l + 1].real() -
                                       multiply(wave, sums.inner[0][l + 1]).real() / own);
            hessian(k, k) = hessian(k, k) * (1.0 + damping) + 1e-30;
        }
        const Eigen::LLT<Eigen::Matrix3d> factor(hessian);
        if (factor.info() != Eigen::Success)
            break;
        const Eigen::Vector3d way = factor.solve(gradient);
        const fitted_path next = moved(*path, way.data(), d_limits);
        const products there = evaluate(reduced, next, columns);
        ++d_moves;
        const double gained = explained(there) - best;
        if (!(gained > 0.0)) {
            damping *= 100.0;
            continue;
        }
        damping *= 0.1;
        *path = next;
        sums = there;
        best += gained;
        if (gained < enough)
            break;
    }
    return reduced.explained + best;
}

} // namespace estimation
} // namespace thzum
} // namespace gr
