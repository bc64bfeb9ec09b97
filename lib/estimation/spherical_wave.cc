/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/spherical_wave.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {
namespace estimation {

// With a subarray's middle at c, r = |c| in wavelengths, and rho the distance from there to the
// source over the distance from the array's middle: rho^2 = 1 - 2 kappa c.u + (kappa r)^2,
// direction (u - kappa c) / rho, phase = -2 pi (rho - 1) / kappa. The last quotient is
// (kappa r^2 - 2 c.u) / (rho + 1), which also holds for the plane wave.
local_wave wave_at(const array_layout& layout, const fitted_path& path, int s)
{
    local_wave wave = {};
    const double spacing = layout.spacing;
    if (!path.coherent) {
        wave.u = spacing * path.ux;
        wave.v = spacing * path.uy;
        wave.u_slope[0] = wave.v_slope[1] = spacing;
        return wave;
    }
    const double x = layout.x[s], y = layout.y[s], kappa = path.curvature;
    const double along = x * path.ux + y * path.uy, square = x * x + y * y;
    const double rho = std::sqrt(1.0 - 2.0 * kappa * along + kappa * kappa * square);
    const double inverse = 1.0 / rho, half = 1.0 / (1.0 + rho);
    const double advance = (kappa * square - 2.0 * along) * half;
    const double rho_by_kappa = (kappa * square - along) * inverse;
    wave.phase = -2.0 * M_PI * advance;
    wave.phase_slope[0] = 2.0 * M_PI * x * inverse;
    wave.phase_slope[1] = 2.0 * M_PI * y * inverse;
    wave.phase_slope[2] = -2.0 * M_PI * (square - advance * rho_by_kappa) * half;

    const double scale = spacing * inverse, bent = kappa * inverse * inverse;
    const double ux = path.ux - kappa * x, uy = path.uy - kappa * y;
    wave.u = scale * ux;
    wave.v = scale * uy;
    wave.u_slope[0] = scale * (1.0 + bent * ux * x);
    wave.u_slope[1] = scale * bent * ux * y;
    wave.u_slope[2] = -scale * (x + ux * rho_by_kappa * inverse);
    wave.v_slope[0] = scale * bent * uy * x;
    wave.v_slope[1] = scale * (1.0 + bent * uy * y);
    wave.v_slope[2] = -scale * (y + uy * rho_by_kappa * inverse);
    return wave;
}

path_limits limits_of(const array_layout& layout, int rows, int cols, double max_curvature)
{
    constexpr double share = 0.3; // of a subarray's beam width, per step
    return { share / (cols * layout.spacing), share / (rows * layout.spacing), max_curvature };
}

fitted_path moved(const fitted_path& path, const double* step, const path_limits& limits)
{
    const auto limited = [](double x, double limit) { return std::clamp(x, -limit, limit); };
    fitted_path next = path;
    next.ux += limited(step[0], limits.ux);
    next.uy += limited(step[1], limits.uy);
    const double length = std::hypot(next.ux, next.uy);
    if (length > 1.0) {
        next.ux /= length;
        next.uy /= length;
    }
    if (path.coherent)
        next.curvature = std::clamp(path.curvature + step[2], 0.0, limits.curvature);
    return next;
}

} // namespace estimation
} // namespace thzum
} // namespace gr
