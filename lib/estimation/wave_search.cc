/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "estimation/correlate_rows.h"
#include "estimation/wave_search.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

constexpr double points_per_beam = 4.0; // the peak is then within 0.1 dB of the best direction

/*! power[i] += (re[i]^2 + im[i]^2) * weight[i]. */
THZUM_MULTIVERSION
void accumulate_power(const float* __restrict re,
                      const float* __restrict im,
                      const float* __restrict weight,
                      float* __restrict power,
                      int n)
{
    for (int i = 0; i < n; ++i)
        power[i] += (re[i] * re[i] + im[i] * im[i]) * weight[i];
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
      d_half(size_t(2) * d_grid.rows() * d_col_size),
      d_power(size_t(3) * d_grid.rows() * d_grid.width())
{
    const auto rows = d_grid.row_waves(spacing), cols = d_grid.col_waves(spacing);
    d_row_waves.assign(rows.begin(), rows.end());
    const auto padded = d_grid.padded(cols);
    d_col_waves.assign(padded.begin(), padded.end());
    tabulate_energies(gram, rows, cols);
}

void wave_search::tabulate_energies(const pilot_gram& gram,
                                    const std::vector<double>& rows,
                                    const std::vector<double>& cols)
{
    d_inverse_energy.assign(size_t(d_subarrays) * d_grid.rows() * d_grid.width(), 0.0f);
    volk::vector<float> wave(size_t(3) * d_stride, 0.0f), re(wave), im(wave);
    for (int s = 0; s < d_subarrays; ++s)
        for (int p = 0; p < d_grid.rows(); ++p)
            for (int q = 0; q < d_grid.cols(); ++q) {
                if (!d_grid.is_visible(p, q))
                    continue;
                for (int i = 0; i < d_row_size; ++i)
                    for (int j = 0; j < d_col_size; ++j)
                        wave[i * d_col_size + j] = static_cast<float>(
                            rows[size_t(p) * d_row_size + i] * cols[size_t(q) * d_col_size + j]);
                gram.multiply(s, wave.data(), re.data(), im.data());
                double energy = 0.0;
                for (int i = 0; i < gram.size(); ++i)
                    energy += double(wave[i]) * re[i];
                constexpr double unseen = 1e-6;
                if (energy > unseen * d_row_size * d_col_size)
                    d_inverse_energy[(size_t(s) * d_grid.rows() + p) * d_grid.width() + q] =
                        static_cast<float>(1.0 / energy);
            }
}

wave_search::peak wave_search::strongest(const float* re, const float* im)
{
    const int rows = d_grid.rows(), width = d_grid.width(), image = rows * width;
    float* half_re = d_half.data();
    float* half_im = half_re + size_t(rows) * d_col_size;
    float* power = d_power.data();
    float* out_re = power + image;
    float* out_im = out_re + image;
    std::fill_n(power, image, 0.0f);
    for (int s = 0; s < d_subarrays; ++s) {
        const size_t at = size_t(s) * d_stride;
        correlate_rows(d_row_waves.data(), re + at, half_re, rows, d_row_size, d_col_size);
        correlate_rows(d_row_waves.data(), im + at, half_im, rows, d_row_size, d_col_size);
        correlate_rows(half_re, d_col_waves.data(), out_re, rows, d_col_size, width);
        correlate_rows(half_im, d_col_waves.data(), out_im, rows, d_col_size, width);
        accumulate_power(out_re, out_im, &d_inverse_energy[size_t(s) * image], power, image);
    }
    const int best = static_cast<int>(std::max_element(power, power + image) - power);
    return { d_grid.col_cosine(std::min(best % width, d_grid.cols() - 1)),
             d_grid.row_cosine(best / width),
             power[best] };
}

} // namespace estimation
} // namespace thzum
} // namespace gr
