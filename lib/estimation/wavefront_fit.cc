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

wavefront_fit::wavefront_fit(const array_layout& layout, const path_limits& limits, int max_paths)
    : d_layout(layout), d_limits(limits), d_tie(size_t(max_paths) * (1 + parameters))
{
}

double wavefront_fit::products::half_gradient(int k) const
{
    const complexd gain = this->gain();
    return std::real(
        multiply(std::conj(gain), slope_match[k] - multiply(std::conj(wave_slope[k]), gain)));
}

// Without its phase the wave's factors for the columns are real, a = (1, du, dv), and those of its
// slopes are j phase_slope a + (0, u_slope, v_slope): all products follow from B a.
void wavefront_fit::add_subarray(const reduced_path& reduced,
                                 const fitted_path& path,
                                 int s,
                                 products* sums)
{
    const local_wave wave = wave_at(d_layout, path, s);
    const double du = wave.u - reduced.u[s], dv = wave.v - reduced.v[s];
    const complexd turn = std::polar(1.0, wave.phase);
    const complexd* normal = &reduced.normal[size_t(kinds) * kinds * s];
    const complexd* match = &reduced.match[size_t(kinds) * s];
    complexd seen[kinds];
    for (int i = 0; i < kinds; ++i)
        seen[i] = normal[kinds * i] + du * normal[kinds * i + 1] + dv * normal[kinds * i + 2];
    const double energy = seen[0].real() + du * seen[1].real() + dv * seen[2].real();
    const complexd heard = multiply(std::conj(turn), match[0] + du * match[1] + dv * match[2]);
    sums->energy += energy;
    sums->match += heard;
    complexd tilt[parameters]; // a^H B (0, u_slope, v_slope)
    for (int k = 0; k < parameters; ++k) {
        const double u = wave.u_slope[k], v = wave.v_slope[k], phase = wave.phase_slope[k];
        tilt[k] = u * std::conj(seen[1]) + v * std::conj(seen[2]);
        sums->wave_slope[k] += complexd(tilt[k].real(), tilt[k].imag() + phase * energy);
        sums->slope_match[k] += multiply(std::conj(turn), u * match[1] + v * match[2]) +
                                complexd(phase * heard.imag(), -phase * heard.real());
        for (int l = 0; l <= k; ++l)
            sums->slopes[l][k] += wave.phase_slope[l] * (phase * energy + tilt[k].imag()) +
                                  phase * tilt[l].imag() +
                                  wave.u_slope[l] * (u * normal[4].real() + v * normal[5].real()) +
                                  wave.v_slope[l] * (u * normal[5].real() + v * normal[8].real());
    }
    const int values = kinds * static_cast<int>(d_layout.x.size());
    for (int c = 0; c < reduced.coupled; ++c) {
        const complexd* w = &reduced.coupling[size_t(c) * values + kinds * s];
        complexd* tie = &d_tie[size_t(c) * (1 + parameters)];
        const complexd own = multiply(turn, w[0] + du * w[1] + dv * w[2]);
        const complexd w_u = multiply(turn, w[1]), w_v = multiply(turn, w[2]);
        tie[0] += own;
        for (int k = 0; k < parameters; ++k)
            tie[1 + k] +=
                wave.u_slope[k] * w_u + wave.v_slope[k] * w_v +
                complexd(-wave.phase_slope[k] * own.imag(), wave.phase_slope[k] * own.real());
    }
}

wavefront_fit::products wavefront_fit::evaluate(const reduced_path& reduced,
                                                const fitted_path& path)
{
    products sums;
    std::fill_n(d_tie.begin(), size_t(reduced.coupled) * (1 + parameters), complexd(0.0));
    for (int s = 0; s < static_cast<int>(d_layout.x.size()); ++s)
        add_subarray(reduced, path, s, &sums);
    for (int c = 0; c < reduced.coupled; ++c) {
        const complexd* tie = &d_tie[size_t(c) * (1 + parameters)];
        sums.energy -= std::norm(tie[0]);
        for (int k = 0; k < parameters; ++k) {
            sums.wave_slope[k] -= multiply(std::conj(tie[0]), tie[1 + k]);
            for (int l = 0; l <= k; ++l)
                sums.slopes[l][k] -= multiply(std::conj(tie[1 + l]), tie[1 + k]).real();
        }
    }
    return sums;
}

double wavefront_fit::energy(const reduced_path& reduced, const fitted_path& path, double* gradient)
{
    const products sums = evaluate(reduced, path);
    for (int k = 0; k < parameters; ++k)
        gradient[k] = 2.0 * sums.half_gradient(k);
    return reduced.explained + sums.explained();
}

double
wavefront_fit::refine(const reduced_path& reduced, fitted_path* path, int steps, double enough)
{
    double damping = first_damping;
    products sums = evaluate(reduced, *path);
    double best = sums.explained();
    for (int step = 0; step < steps && best > 0.0; ++step) {
        const double power = std::norm(sums.gain());
        Eigen::Matrix3d hessian;
        Eigen::Vector3d gradient;
        for (int k = 0; k < parameters; ++k) {
            gradient[k] = sums.half_gradient(k);
            for (int l = 0; l <= k; ++l)
                hessian(k, l) = hessian(l, k) =
                    power * (sums.slopes[l][k] -
                             multiply(std::conj(sums.wave_slope[l]), sums.wave_slope[k]).real() /
                                 sums.energy);
            hessian(k, k) = hessian(k, k) * (1.0 + damping) + 1e-30;
        }
        const Eigen::LLT<Eigen::Matrix3d> factor(hessian);
        if (factor.info() != Eigen::Success)
            break;
        const Eigen::Vector3d way = factor.solve(gradient);
        const fitted_path next = moved(*path, way.data(), d_limits);
        const products there = evaluate(reduced, next);
        ++d_moves;
        const double gained = there.explained() - best;
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
