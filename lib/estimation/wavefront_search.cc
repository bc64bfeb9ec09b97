/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "common/packet.h"
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
constexpr double curvature_cycles =
    0.125; // phase at the array's edge from one curvature to the next
constexpr int most_curvatures = 32;

/*! A line of the grid: |sum_s gain_s turn_s|^2 where that is better than what was best, whose
 * \p place is then this one's; turn_s [s][width]. */
THZUM_MULTIVERSION
void improve_line(const float* __restrict gain_re,
                  const float* __restrict gain_im,
                  int subarrays,
                  const float* __restrict turn_re,
                  const float* __restrict turn_im,
                  int width,
                  float this_place,
                  float* __restrict best,
                  float* __restrict place)
{
    for (int first = 0; first < width; first += lanes) {
        packet re = {}, im = {};
        for (int s = 0; s < subarrays; ++s) {
            const packet cosine = packet_at(turn_re + s * width + first);
            const packet sine = packet_at(turn_im + s * width + first);
            re += gain_re[s] * cosine - gain_im[s] * sine;
            im += gain_re[s] * sine + gain_im[s] * cosine;
        }
        const packet score = re * re + im * im;
        const auto better = score > packet_at(best + first);
        packet_at(best + first) = better ? score : packet_at(best + first);
        packet_at(place + first) = better ? this_place - packet{} : packet_at(place + first);
    }
}

/*! best = scale best - (a + b y + c y^2) */
THZUM_MULTIVERSION
void subtract_parabola(float scale,
                       float a,
                       float b,
                       float c,
                       const float* __restrict y,
                       float* __restrict best,
                       int n)
{
    for (int i = 0; i < n; ++i)
        best[i] = scale * best[i] - (a + y[i] * (b + y[i] * c));
}

/*! The largest of each value and those beside it. */
THZUM_MULTIVERSION
void largest_of_three(const float* __restrict x, float* __restrict largest, int n)
{
    if (n == 1) {
        largest[0] = x[0];
        return;
    }
    largest[0] = x[0] > x[1] ? x[0] : x[1];
    largest[n - 1] = x[n - 1] > x[n - 2] ? x[n - 1] : x[n - 2];
    for (int i = 1; i + 1 < n; ++i) {
        const float beside = x[i - 1] > x[i + 1] ? x[i - 1] : x[i + 1];
        largest[i] = x[i] > beside ? x[i] : beside;
    }
}

/*! Whether any x is not below what is around it, line by line before, own and after. */
THZUM_MULTIVERSION
bool any_peak(const float* __restrict x,
              const float* __restrict before,
              const float* __restrict own,
              const float* __restrict after,
              int n)
{
    int peaks = 0;
    for (int i = 0; i < n; ++i)
        peaks += (x[i] >= before[i]) & (x[i] >= own[i]) & (x[i] >= after[i]);
    return peaks > 0;
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

    d_gain.resize(d_subarrays);
    d_gain_re.resize(d_subarrays);
    d_gain_im.resize(d_subarrays);
    d_offset_y.assign(d_y.offset.begin(), d_y.offset.end());
    d_best.resize(size_t(points_x) * d_width);
    d_best_curvature.resize(d_best.size());
    d_around.resize(d_best.size());
    d_peaks.reserve(d_best.size());
}

// What the free gains lose, to second order, where their direction goes elsewhere. Around the
// direction of the columns a path with a gain of its own explains 2 d.l - d.Q d more.
void wavefront_search::subtract_penalty(const fitted_path& path, const reduced_path& reduced)
{
    double energy = 0.0, uu = 0.0, uv = 0.0, vv = 0.0, lu = 0.0, lv = 0.0;
    for (int s = 0; s < d_subarrays; ++s) {
        const auto* normal = &reduced.normal[size_t(9) * s];
        const auto* match = &reduced.match[size_t(3) * s];
        energy += normal[0].real();
        if (!(normal[0].real() > 0.0))
            continue;
        const auto gain = match[0] / normal[0].real();
        const double power = std::norm(gain) / normal[0].real();
        uu += power * (normal[4] * normal[0] - normal[3] * normal[1]).real();
        uv += power * (normal[5] * normal[0] - normal[3] * normal[2]).real();
        vv += power * (normal[8] * normal[0] - normal[6] * normal[2]).real();
        lu += std::real(std::conj(gain) * (match[1] - normal[3] * gain));
        lv += std::real(std::conj(gain) * (match[2] - normal[6] * gain));
    }
    const double spacing = d_layout.spacing, scale = energy > 0.0 ? 1.0 / energy : 0.0;
    const double dv = spacing * path.uy - reduced.v[0]; // and spacing y
    for (size_t i = 0; i < d_x.offset.size(); ++i) {
        const double du = spacing * (path.ux + d_x.offset[i]) - reduced.u[0];
        subtract_parabola(static_cast<float>(scale),
                          static_cast<float>(du * (uu * du - 2.0 * lu) +
                                             dv * (2.0 * uv * du + vv * dv - 2.0 * lv)),
                          static_cast<float>(2.0 * spacing * (uv * du + vv * dv - lv)),
                          static_cast<float>(spacing * spacing * vv),
                          d_offset_y.data(),
                          &d_best[i * d_width],
                          static_cast<int>(d_offset_y.size()));
    }
}

// The curvature's phase and the direction's phase at the path are taken off the gains; what is left
// depends on the offsets from that direction, a product of a factor for x and one for y.
void wavefront_search::add_up(const fitted_path& path, const reduced_path& reduced, int curvature)
{
    const int points_x = static_cast<int>(d_x.offset.size());
    for (int s = 0; s < d_subarrays; ++s) {
        const double along = d_layout.x[s] * path.ux + d_layout.y[s] * path.uy;
        const double square = d_layout.x[s] * d_layout.x[s] + d_layout.y[s] * d_layout.y[s];
        const double cycles = -along + 0.5 * d_curvatures[curvature] * (square - along * along);
        d_gain[s] = reduced.match[size_t(3) * s] * std::polar(1.0, 2.0 * M_PI * cycles);
    }
    for (int i = 0; i < points_x; ++i) {
        for (int s = 0; s < d_subarrays; ++s) {
            const size_t at = size_t(s) * points_x + i;
            const auto turned = multiply(d_gain[s], { d_x.re[at], d_x.im[at] });
            d_gain_re[s] = static_cast<float>(turned.real());
            d_gain_im[s] = static_cast<float>(turned.imag());
        }
        const size_t line = size_t(i) * d_width;
        improve_line(d_gain_re.data(),
                     d_gain_im.data(),
                     d_subarrays,
                     d_y.re.data(),
                     d_y.im.data(),
                     d_width,
                     static_cast<float>(curvature),
                     &d_best[line],
                     &d_best_curvature[line]);
    }
}

void wavefront_search::find_peaks()
{
    const int points_x = static_cast<int>(d_x.offset.size());
    const int points_y = static_cast<int>(d_y.offset.size());
    d_peaks.clear();
    for (int i = 0; i < points_x; ++i)
        largest_of_three(&d_best[size_t(i) * d_width], &d_around[size_t(i) * d_width], points_y);
    for (int i = 0; i < points_x; ++i) {
        const float* line = &d_best[size_t(i) * d_width];
        const float* own = &d_around[size_t(i) * d_width];
        const float* before = i ? own - d_width : own;
        const float* after = i + 1 < points_x ? own + d_width : own;
        if (!any_peak(line, before, own, after, points_y))
            continue;
        for (int j = 0; j < points_y; ++j)
            if (line[j] >= before[j] && line[j] >= own[j] && line[j] >= after[j])
                d_peaks.push_back(i * d_width + j);
    }
}

int wavefront_search::candidates(const fitted_path& path,
                                 const reduced_path& reduced,
                                 fitted_path* found,
                                 int most)
{
    std::fill(d_best.begin(), d_best.end(), -1.0f);
    for (size_t c = 0; c < d_curvatures.size(); ++c)
        add_up(path, reduced, static_cast<int>(c));
    subtract_penalty(path, reduced);
    find_peaks();
    const int count = std::min(most, static_cast<int>(d_peaks.size()));
    std::partial_sort(d_peaks.begin(),
                      d_peaks.begin() + count,
                      d_peaks.end(),
                      [this](int a, int b) { return d_best[a] > d_best[b]; });
    for (int k = 0; k < count; ++k)
        found[k] = { true,
                     path.ux + d_x.offset[d_peaks[k] / d_width],
                     path.uy + d_y.offset[d_peaks[k] % d_width],
                     d_curvatures[static_cast<int>(d_best_curvature[d_peaks[k]])] };
    return count;
}

} // namespace estimation
} // namespace thzum
} // namespace gr
