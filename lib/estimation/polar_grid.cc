/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "estimation/correlate_rows.h"
#include "estimation/polar_grid.h"
#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

constexpr size_t most_phases = size_t(1) << 25; // 256 MB
constexpr int most_rings = 64;

/*! sum += turn * x. */
THZUM_MULTIVERSION
void add_turned(const float* __restrict turn_re,
                const float* __restrict turn_im,
                const float* __restrict re,
                const float* __restrict im,
                float* __restrict sum_re,
                float* __restrict sum_im,
                int n)
{
    for (int i = 0; i < n; ++i) {
        sum_re[i] += turn_re[i] * re[i] - turn_im[i] * im[i];
        sum_im[i] += turn_re[i] * im[i] + turn_im[i] * re[i];
    }
}

/*! power = |sum|^2 * weight, in place of the real part; returns the largest. */
THZUM_MULTIVERSION
float weigh(float* __restrict re, const float* __restrict im, const float* __restrict weight, int n)
{
    float largest = 0.0f;
    for (int i = 0; i < n; ++i) {
        re[i] = (re[i] * re[i] + im[i] * im[i]) * weight[i];
        largest = re[i] > largest ? re[i] : largest;
    }
    return largest;
}

/*! Points along an axis, for the aperture of the whole array with subarrays of \p subarray. */
int grid_points(const std::vector<double>& centres, double subarray, double oversampling)
{
    const auto [low, high] = std::minmax_element(centres.begin(), centres.end());
    return 2 * static_cast<int>(std::ceil(oversampling * (*high - *low + subarray))) + 1;
}

direction_grid
directions_of(const array_layout& layout, const wave_atoms& atoms, double oversampling)
{
    return { atoms,
             grid_points(layout.y, layout.spacing * atoms.rows(), oversampling),
             grid_points(layout.x, layout.spacing * atoms.cols(), oversampling) };
}

std::vector<double> ring_curvatures(const array_layout& layout, const polar_sampling& sampling)
{
    double square = 0.0;
    for (size_t s = 0; s < layout.x.size(); ++s)
        square = std::max(square, layout.x[s] * layout.x[s] + layout.y[s] * layout.y[s]);
    const double cycles = 0.5 * square * sampling.max_curvature;
    const double count = std::ceil(cycles / sampling.ring_cycles) + 1.0;
    std::vector<double> curvatures(static_cast<size_t>(std::min<double>(count, most_rings)));
    for (size_t i = 1; i < curvatures.size(); ++i)
        curvatures[i] = sampling.max_curvature * double(i) / double(curvatures.size() - 1);
    return curvatures;
}

/*! Re K_s, [size][size]. */
std::vector<double> real_gram(const pilot_gram& gram, int s)
{
    const int size = gram.size(), stride = gram.stride();
    volk::vector<float> unit(stride), re(unit.size()), im(unit.size());
    std::vector<double> dense(size_t(size) * size);
    for (int j = 0; j < size; ++j) {
        std::fill(unit.begin(), unit.end(), 0.0f);
        unit[j] = 1.0f;
        gram.multiply(s, 1, unit.data(), re.data(), im.data());
        std::copy_n(re.begin(), size, &dense[size_t(j) * size]);
    }
    return dense;
}

/*! M[j][l] = sum_ik p_i p_k K[i j][k l]: what is left of the columns when the rows' wave is fixed.
 */
void contract_rows(
    const std::vector<double>& gram, const double* wave, int rows, int cols, double* m)
{
    const int size = rows * cols;
    std::fill_n(m, cols * cols, 0.0);
    for (int i = 0; i < rows; ++i)
        for (int k = 0; k < rows; ++k) {
            const double weight = wave[i] * wave[k];
            for (int j = 0; j < cols; ++j)
                for (int l = 0; l < cols; ++l)
                    m[j * cols + l] += weight * gram[size_t(i * cols + j) * size + k * cols + l];
        }
}

double quadratic_form(const double* m, const double* x, int size)
{
    double sum = 0.0;
    for (int i = 0; i < size; ++i)
        for (int j = 0; j < size; ++j)
            sum += x[i] * m[i * size + j] * x[j];
    return sum;
}

} // namespace

polar_grid::polar_grid(const path_fit& fit,
                       const visible_region::sptr& region,
                       const polar_sampling& sampling)
    : polar_grid(fit, wave_atoms(region), sampling)
{
}

polar_grid::polar_grid(const path_fit& fit, const wave_atoms& atoms, const polar_sampling& sampling)
    : d_subarrays(fit.gram().subarrays()),
      d_stride(fit.gram().stride()),
      d_row_size(atoms.row_size()),
      d_col_size(atoms.col_size()),
      d_curvature(ring_curvatures(fit.layout(), sampling)),
      d_grid(directions_of(fit.layout(), atoms, sampling.oversampling))
{
    const size_t phases = size_t(rings()) * d_subarrays * d_grid.rows() * d_grid.width();
    if (phases > most_phases)
        throw std::invalid_argument(
            "oversampling, min_distance: expected a polar grid of at most " +
            std::to_string(most_phases / d_subarrays) + " atoms for this array, got " +
            std::to_string(rings()) + " rings of " + std::to_string(d_grid.rows()) + " x " +
            std::to_string(d_grid.cols()) + " directions; take a coarser one");

    const double spacing = fit.layout().spacing;
    const auto rows = d_grid.row_waves(spacing), cols = d_grid.col_waves(spacing);
    d_row_waves.assign(rows.begin(), rows.end());
    const auto padded = d_grid.padded(cols);
    d_col_waves.assign(padded.begin(), padded.end());
    tabulate_energies(fit.gram(), rows, cols);
    tabulate_phases(fit);

    d_half_re.resize(size_t(d_subarrays) * d_grid.rows() * d_col_size);
    d_half_im.resize(d_half_re.size());
    d_out_re.resize(d_grid.width());
    d_out_im.resize(d_grid.width());
    d_sum_re.resize(size_t(rings()) * d_grid.width());
    d_sum_im.resize(d_sum_re.size());
}

void polar_grid::tabulate_energies(const pilot_gram& gram,
                                   const std::vector<double>& rows,
                                   const std::vector<double>& cols)
{
    std::vector<double> energy(size_t(d_grid.rows()) * d_grid.width(), 0.0);
    std::vector<double> m(size_t(d_col_size) * d_col_size);
    for (int s = 0; s < d_subarrays; ++s) {
        const auto dense = real_gram(gram, s);
        for (int p = 0; p < d_grid.rows(); ++p) {
            contract_rows(dense, &rows[size_t(p) * d_row_size], d_row_size, d_col_size, m.data());
            for (int q = 0; q < d_grid.cols(); ++q)
                energy[line(0, p) + q] +=
                    quadratic_form(m.data(), &cols[size_t(q) * d_col_size], d_col_size);
        }
    }
    d_inverse_energy.assign(energy.size(), 0.0f);
    constexpr double unseen = 1e-6;
    for (int p = 0; p < d_grid.rows(); ++p)
        for (int q = 0; q < d_grid.cols(); ++q) {
            const size_t at = line(0, p) + q;
            const bool on_disc = std::hypot(d_grid.col_cosine(q), d_grid.row_cosine(p)) <= 1.0;
            d_directions += on_disc;
            if (on_disc && energy[at] > unseen * gram.size())
                d_inverse_energy[at] = static_cast<float>(1.0 / energy[at]);
        }
}

void polar_grid::tabulate_phases(const path_fit& fit)
{
    d_turn_re.assign(size_t(rings()) * d_subarrays * d_grid.rows() * d_grid.width(), 0.0f);
    d_turn_im.assign(d_turn_re.size(), 0.0f);
    for (int ring = 0; ring < rings(); ++ring)
        for (int s = 0; s < d_subarrays; ++s)
            for (int p = 0; p < d_grid.rows(); ++p)
                for (int q = 0; q < d_grid.cols(); ++q) {
                    const size_t at = line(ring * d_subarrays + s, p) + q;
                    if (d_inverse_energy[line(0, p) + q] == 0.0f)
                        continue;
                    const fitted_path path = {
                        true, d_grid.col_cosine(q), d_grid.row_cosine(p), d_curvature[ring]
                    };
                    const double phase = fit.phase(path, s);
                    d_turn_re[at] = static_cast<float>(std::cos(phase));
                    d_turn_im[at] = static_cast<float>(-std::sin(phase));
                }
}

polar_grid::peak polar_grid::strongest(const float* re, const float* im, int first, int count)
{
    const size_t half = size_t(d_grid.rows()) * d_col_size;
    for (int s = 0; s < d_subarrays; ++s) {
        const size_t at = size_t(s) * d_stride;
        correlate_rows(d_row_waves.data(),
                       re + at,
                       &d_half_re[s * half],
                       d_grid.rows(),
                       d_row_size,
                       d_col_size);
        correlate_rows(d_row_waves.data(),
                       im + at,
                       &d_half_im[s * half],
                       d_grid.rows(),
                       d_row_size,
                       d_col_size);
    }
    float best = 0.0f;
    int best_ring = first, best_row = d_grid.rows() / 2, best_col = d_grid.cols() / 2;
    for (int p = 0; p < d_grid.rows(); ++p) {
        std::fill(d_sum_re.begin(), d_sum_re.end(), 0.0f);
        std::fill(d_sum_im.begin(), d_sum_im.end(), 0.0f);
        for (int s = 0; s < d_subarrays; ++s) {
            const size_t at = s * half + size_t(p) * d_col_size;
            correlate_rows(
                &d_half_re[at], d_col_waves.data(), d_out_re.data(), 1, d_col_size, d_grid.width());
            correlate_rows(
                &d_half_im[at], d_col_waves.data(), d_out_im.data(), 1, d_col_size, d_grid.width());
            for (int ring = first; ring < first + count; ++ring) {
                const size_t turn = line(ring * d_subarrays + s, p);
                add_turned(&d_turn_re[turn],
                           &d_turn_im[turn],
                           d_out_re.data(),
                           d_out_im.data(),
                           &d_sum_re[size_t(ring) * d_grid.width()],
                           &d_sum_im[size_t(ring) * d_grid.width()],
                           d_grid.width());
            }
        }
        for (int ring = first; ring < first + count; ++ring) {
            float* power = &d_sum_re[size_t(ring) * d_grid.width()];
            const float largest = weigh(power,
                                        &d_sum_im[size_t(ring) * d_grid.width()],
                                        &d_inverse_energy[line(0, p)],
                                        d_grid.width());
            if (largest > best) {
                best = largest;
                best_ring = ring;
                best_row = p;
                best_col =
                    static_cast<int>(std::max_element(power, power + d_grid.width()) - power);
            }
        }
    }
    return {
        { true, d_grid.col_cosine(best_col), d_grid.row_cosine(best_row), d_curvature[best_ring] },
        best
    };
}

} // namespace estimation
} // namespace thzum
} // namespace gr
