/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "common/packet.h"
#include "estimation/wave_search.h"
#include "measurement/matrix_kernels.h"
#include "measurement/padding.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

constexpr double points_per_beam = 4.0; // the peak is then within 0.1 dB of the best direction

/*! out[p] = sum_i waves[p][i] x[i], rows of \p cols floats; \p points is a multiple of
 * row_multiple. */
THZUM_MULTIVERSION
void correlate_first_axis(const float* __restrict waves,
                          int points,
                          int size,
                          const float* __restrict x,
                          int cols,
                          float* __restrict out)
{
    for (int p = 0; p < points; p += row_multiple)
        for (int j = 0; j < cols; j += lanes) {
            const float* w = waves + p * size;
            packet a = {}, b = {}, c = {}, d = {};
            for (int i = 0; i < size; ++i) {
                const packet line = packet_at(x + i * cols + j);
                a += w[i] * line;
                b += w[size + i] * line;
                c += w[2 * size + i] * line;
                d += w[3 * size + i] * line;
            }
            packet_at(out + p * cols + j) = a;
            packet_at(out + (p + 1) * cols + j) = b;
            packet_at(out + (p + 2) * cols + j) = c;
            packet_at(out + (p + 3) * cols + j) = d;
        }
}

/*! power[p][q] += weight[p][q] |sum_k half[p][k] waves[k][q]|^2, real and imaginary parts of
 * half[p] \p apart floats from each other. */
THZUM_MULTIVERSION
void correlate_second_axis(const float* __restrict half,
                           int points,
                           int size,
                           int apart,
                           const float* __restrict waves,
                           int width,
                           const float* __restrict weight,
                           float* __restrict power)
{
    for (int p = 0; p < points; ++p) {
        const float* re = half + p * 2 * apart;
        const float* im = re + apart;
        for (int q = 0; q < width; q += lanes) {
            packet a = {}, b = {};
            for (int k = 0; k < size; ++k) {
                const packet line = packet_at(waves + k * width + q);
                a += re[k] * line;
                b += im[k] * line;
            }
            const int at = p * width + q;
            packet_at(power + at) += (a * a + b * b) * packet_at(weight + at);
        }
    }
}

// From the strongest of some evenly spaced direction cosines to the top of a parabola through the
// power there and at its neighbours, which are \p step apart.
double way_to_top(const float* power, int point, int points, int step)
{
    if (point == 0 || point + 1 >= points)
        return 0.0;
    const double before = power[-step], after = power[step];
    const double bend = 2.0 * power[0] - before - after;
    if (before == 0.0 || after == 0.0 || !(bend > 0.0))
        return 0.0;
    return std::clamp(0.5 * (after - before) / bend, -0.5, 0.5) * 2.0 / (points - 1);
}

} // namespace

wave_search::wave_search(const pilot_gram& gram, const visible_region::sptr& region, double spacing)
    : wave_search(gram, wave_atoms(region), spacing)
{
}

wave_search::wave_search(const pilot_gram& gram, const wave_atoms& atoms, double spacing)
    : d_grid(atoms, spacing, points_per_beam),
      d_subarrays(gram.subarrays()),
      d_stride(gram.stride()),
      d_row_size(atoms.row_size()),
      d_col_size(atoms.col_size()),
      d_cells(resolution_cells(atoms, spacing)),
      d_apart(round_up(d_col_size, lanes)),
      d_input(size_t(2) * d_row_size * d_apart, 0.0f),
      d_half(size_t(2) * round_up(d_grid.rows(), row_multiple) * d_apart),
      d_power(size_t(d_grid.rows()) * d_grid.width())
{
    const auto rows = d_grid.row_waves(spacing), cols = d_grid.col_waves(spacing);
    d_row_waves.resize(size_t(round_up(d_grid.rows(), row_multiple)) * d_row_size, 0.0f);
    std::copy(rows.begin(), rows.end(), d_row_waves.begin());
    const auto padded = d_grid.padded(cols);
    d_col_waves.assign(padded.begin(), padded.end());
    tabulate_energies(gram, rows, cols);
}

void wave_search::tabulate_energies(const pilot_gram& gram,
                                    const std::vector<double>& rows,
                                    const std::vector<double>& cols)
{
    d_inverse_energy.assign(size_t(d_subarrays) * d_grid.rows() * d_grid.width(), 0.0f);
    volk::vector<float> wave(d_stride, 0.0f), re(wave), im(wave);
    for (int s = 0; s < d_subarrays; ++s)
        for (int p = 0; p < d_grid.rows(); ++p)
            for (int q = 0; q < d_grid.cols(); ++q) {
                if (!d_grid.is_visible(p, q))
                    continue;
                for (int i = 0; i < d_row_size; ++i)
                    for (int j = 0; j < d_col_size; ++j)
                        wave[i * d_col_size + j] = static_cast<float>(
                            rows[size_t(p) * d_row_size + i] * cols[size_t(q) * d_col_size + j]);
                gram.multiply(s, 1, wave.data(), re.data(), im.data());
                double energy = 0.0;
                for (int i = 0; i < gram.size(); ++i)
                    energy += double(wave[i]) * re[i];
                constexpr double unseen = 1e-6;
                if (energy > unseen * d_row_size * d_col_size)
                    d_inverse_energy[(size_t(s) * d_grid.rows() + p) * d_grid.width() + q] =
                        static_cast<float>(1.0 / energy);
            }
}

wave_search::peak wave_search::strongest(const float* re, const float* im, bool off_grid)
{
    const int rows = d_grid.rows(), width = d_grid.width(), image = rows * width;
    float* power = d_power.data();
    std::fill_n(power, image, 0.0f);
    for (int s = 0; s < d_subarrays; ++s) {
        for (int i = 0; i < d_row_size; ++i) {
            const size_t at = size_t(s) * d_stride + i * d_col_size;
            std::copy_n(re + at, d_col_size, &d_input[size_t(2) * i * d_apart]);
            std::copy_n(im + at, d_col_size, &d_input[size_t(2 * i + 1) * d_apart]);
        }
        correlate_first_axis(d_row_waves.data(),
                             round_up(rows, row_multiple),
                             d_row_size,
                             d_input.data(),
                             2 * d_apart,
                             d_half.data());
        correlate_second_axis(d_half.data(),
                              rows,
                              d_col_size,
                              d_apart,
                              d_col_waves.data(),
                              width,
                              &d_inverse_energy[size_t(s) * image],
                              power);
    }
    const int best = static_cast<int>(std::max_element(power, power + image) - power);
    const int row = best / width, col = std::min(best % width, d_grid.cols() - 1);
    peak found = { d_grid.col_cosine(col), d_grid.row_cosine(row), power[best] };
    if (off_grid) {
        found.ux += way_to_top(power + best, col, d_grid.cols(), 1);
        found.uy += way_to_top(power + best, row, d_grid.rows(), width);
    }
    return found;
}

} // namespace estimation
} // namespace thzum
} // namespace gr
