/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "estimation/fit_kernels.h"
#include "estimation/wavefront_search.h"
#include "measurement/matrix_kernels.h"
#include "measurement/padding.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

constexpr double beam_share = 0.15;   // how far to look, in beam widths of a subarray
constexpr double points_per_lobe = 8; // of the pattern that the whole array makes
constexpr int most_points = 129;
constexpr double curvature_cycles = 0.125; // phase at the array's edge from one curvature to the next
constexpr int most_curvatures = 32;

THZUM_MULTIVERSION
void line_score(const float* __restrict re,
                const float* __restrict im,
                const float* __restrict penalty,
                float scale,
                float* __restrict score,
                int n)
{
    for (int i = 0; i < n; ++i)
        score[i] = scale * (re[i] * re[i] + im[i] * im[i]) - penalty[i];
}

double extent(const std::vector<double>& positions)
{
    const auto [low, high] = std::minmax_element(positions.begin(), positions.end());
    return *high - *low;
}

} // namespace

wavefront_search::wavefront_search(const array_layout& layout,
                                   int rows,
                                   int cols,
                                   double max_curvature)
    : d_layout(layout), d_subarrays(static_cast<int>(layout.x.size()))
{
    const auto prepare = [&](phasors& axis, const std::vector<double>& positions, int elements) {
        const double across = extent(positions);
        const double range = beam_share / (elements * layout.spacing);
        int half = static_cast<int>(std::ceil(points_per_lobe * across * range));
        half = std::min(half, most_points / 2);
        for (int i = -half; i <= half; ++i)
            axis.offset.push_back(half ? range * i / half : 0.0);
    };
    prepare(d_x, layout.x, cols);
    prepare(d_y, layout.y, rows);
    const int points_x = static_cast<int>(d_x.offset.size());
    const int points_y = static_cast<int>(d_y.offset.size());
    d_width = round_up(points_y, column_multiple);
    const auto turn = [&](phasors& axis, const std::vector<double>& positions, int width) {
        axis.re.assign(size_t(d_subarrays) * width, 0.0f);
        axis.im.assign(axis.re.size(), 0.0f);
        for (int s = 0; s < d_subarrays; ++s)
            for (size_t i = 0; i < axis.offset.size(); ++i) {
                const double angle = -2.0 * M_PI * positions[s] * axis.offset[i];
                axis.re[size_t(s) * width + i] = static_cast<float>(std::cos(angle));
                axis.im[size_t(s) * width + i] = static_cast<float>(std::sin(angle));
            }
    };
    turn(d_x, layout.x, points_x);
    turn(d_y, layout.y, d_width);

    double radius = 0.0;
    for (int s = 0; s < d_subarrays; ++s)
        radius = std::max(radius, std::hypot(layout.x[s], layout.y[s]));
    const double edge_cycles = 0.5 * radius * radius * max_curvature;
    const int count = std::clamp(
        static_cast<int>(std::ceil(edge_cycles / curvature_cycles)) + 1, 1, most_curvatures);
    for (int i = 0; i < count; ++i)
        d_curvatures.push_back(count > 1 ? max_curvature * i / (count - 1) : 0.0);

    d_sum_re.resize(d_width);
    d_sum_im.resize(d_width);
    d_penalty.resize(d_width);
    d_score.resize(size_t(points_x) * d_width);
    d_best.resize(d_score.size());
    d_best_curvature.resize(d_score.size());
    d_peaks.reserve(d_score.size());
}

// The curvature's phase and the direction's phase at the path are taken off the gains; what is left
// depends on the offsets from that direction, a product of a factor for x and one for y.
void wavefront_search::score(const path_fit& fit, int p, double curvature)
{
    const auto& path = fit.path(p);
    const int points_x = static_cast<int>(d_x.offset.size());
    double energy = 0.0, uu = 0.0, uv = 0.0, vv = 0.0;
    for (int s = 0; s < d_subarrays; ++s) {
        double a, b, c;
        fit.sharpness(p, s, &a, &b, &c);
        const double power = std::norm(fit.gain(p, s));
        energy += fit.energy(p, s);
        uu += power * a, uv += power * b, vv += power * c;
    }
    for (int i = 0; i < points_x; ++i) {
        std::fill(d_sum_re.begin(), d_sum_re.end(), 0.0f);
        std::fill(d_sum_im.begin(), d_sum_im.end(), 0.0f);
        for (int s = 0; s < d_subarrays; ++s) {
            const double along = d_layout.x[s] * path.ux + d_layout.y[s] * path.uy;
            const double square = d_layout.x[s] * d_layout.x[s] + d_layout.y[s] * d_layout.y[s];
            const double cycles = -along + 0.5 * curvature * (square - along * along);
            const auto turned = fit.gain(p, s) * fit.energy(p, s) *
                                std::polar(1.0, 2.0 * M_PI * cycles) *
                                std::complex<double>(d_x.re[s * points_x + i],
                                                     d_x.im[s * points_x + i]);
            subtract_scaled(static_cast<float>(-turned.real()),
                            static_cast<float>(-turned.imag()),
                            &d_y.re[size_t(s) * d_width],
                            &d_y.im[size_t(s) * d_width],
                            d_sum_re.data(),
                            d_sum_im.data(),
                            d_width);
        }
        const double dx = d_x.offset[i];
        for (size_t j = 0; j < d_y.offset.size(); ++j) {
            const double dy = d_y.offset[j];
            d_penalty[j] = static_cast<float>(uu * dx * dx + 2.0 * uv * dx * dy + vv * dy * dy);
        }
        line_score(d_sum_re.data(),
                   d_sum_im.data(),
                   d_penalty.data(),
                   static_cast<float>(energy > 0.0 ? 1.0 / energy : 0.0),
                   &d_score[size_t(i) * d_width],
                   d_width);
    }
}

bool wavefront_search::is_peak(int at) const
{
    const int points_x = static_cast<int>(d_x.offset.size());
    const int points_y = static_cast<int>(d_y.offset.size());
    const int i = at / d_width, j = at % d_width;
    for (int k = std::max(i - 1, 0); k <= std::min(i + 1, points_x - 1); ++k)
        for (int l = std::max(j - 1, 0); l <= std::min(j + 1, points_y - 1); ++l)
            if (d_best[size_t(k) * d_width + l] > d_best[at])
                return false;
    return true;
}

int wavefront_search::candidates(const path_fit& fit, int p, fitted_path* found, int most)
{
    for (size_t c = 0; c < d_curvatures.size(); ++c) {
        score(fit, p, d_curvatures[c]);
        for (size_t at = 0; at < d_score.size(); ++at)
            if (c == 0 || d_score[at] > d_best[at]) {
                d_best[at] = d_score[at];
                d_best_curvature[at] = d_curvatures[c];
            }
    }
    d_peaks.clear();
    for (size_t i = 0; i < d_x.offset.size(); ++i)
        for (size_t j = 0; j < d_y.offset.size(); ++j)
            if (is_peak(static_cast<int>(i * d_width + j)))
                d_peaks.push_back(static_cast<int>(i * d_width + j));
    const int count = std::min(most, static_cast<int>(d_peaks.size()));
    std::partial_sort(d_peaks.begin(), d_peaks.begin() + count, d_peaks.end(), [this](int a, int b) {
        return d_best[a] > d_best[b];
    });
    for (int k = 0; k < count; ++k)
        found[k] = { true,
                     fit.path(p).ux + d_x.offset[d_peaks[k] / d_width],
                     fit.path(p).uy + d_y.offset[d_peaks[k] % d_width],
                     d_best_curvature[d_peaks[k]] };
    return count;
}

} // namespace estimation
} // namespace thzum
} // namespace gr
