/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "estimation/correlate_rows.h"
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
constexpr double rim = 1.02;            // of the disc, so that waves at its edge are found

int grid_points(int elements, double spacing)
{
    return 2 * static_cast<int>(std::ceil(points_per_beam * elements * spacing)) + 1;
}

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
    : d_subarrays(gram.subarrays()), d_stride(gram.stride())
{
    const wave_atoms atoms(region);
    const auto prepare = [&](axis& a, bool rows) {
        const int elements = rows ? atoms.rows() : atoms.cols();
        a.size = rows ? atoms.row_size() : atoms.col_size();
        a.points = elements > 1 ? grid_points(elements, spacing) : 1;
        std::vector<double> wave(a.size), slope(a.size);
        for (int p = 0; p < a.points; ++p) {
            const double cosine = a.points > 1 ? 2.0 * p / (a.points - 1) - 1.0 : 0.0;
            a.cosines.push_back(cosine);
            if (rows)
                atoms.row_axis(cosine * spacing, wave.data(), slope.data());
            else
                atoms.col_axis(cosine * spacing, wave.data(), slope.data());
            a.waves.insert(a.waves.end(), wave.begin(), wave.end());
        }
    };
    prepare(d_row, true);
    prepare(d_col, false);
    d_width = round_up(d_col.points, column_multiple);
    const double across = std::max(1.0, 2.0 * spacing * atoms.rows());
    const double along = std::max(1.0, 2.0 * spacing * atoms.cols());
    d_cells = across * along * M_PI / 4.0;
    d_half.resize(size_t(2) * d_row.points * d_col.size);
    d_power.resize(size_t(3) * d_row.points * d_width);
    tabulate_energies(gram);

    volk::vector<float> columns(size_t(d_col.size) * d_width, 0.0f);
    for (int p = 0; p < d_col.points; ++p)
        for (int j = 0; j < d_col.size; ++j)
            columns[size_t(j) * d_width + p] = d_col.waves[size_t(p) * d_col.size + j];
    d_col.waves = columns;
}

void wave_search::tabulate_energies(const pilot_gram& gram)
{
    d_inverse_energy.assign(size_t(d_subarrays) * d_row.points * d_width, 0.0f);
    volk::vector<float> wave(d_stride, 0.0f), re(wave), im(wave);
    for (int s = 0; s < d_subarrays; ++s)
        for (int p = 0; p < d_row.points; ++p)
            for (int q = 0; q < d_col.points; ++q) {
                const double ux = d_col.cosines[q], uy = d_row.cosines[p];
                if (ux * ux + uy * uy > rim * rim)
                    continue;
                for (int i = 0; i < d_row.size; ++i)
                    for (int j = 0; j < d_col.size; ++j)
                        wave[i * d_col.size + j] = d_row.waves[size_t(p) * d_row.size + i] *
                                                   d_col.waves[size_t(q) * d_col.size + j];
                gram.multiply(s, 1, wave.data(), re.data(), im.data());
                double energy = 0.0;
                for (int i = 0; i < gram.size(); ++i)
                    energy += double(wave[i]) * re[i];
                constexpr double unseen = 1e-6;
                if (energy > unseen * d_row.size * d_col.size)
                    d_inverse_energy[(size_t(s) * d_row.points + p) * d_width + q] =
                        static_cast<float>(1.0 / energy);
            }
}

wave_search::peak wave_search::strongest(const float* re, const float* im)
{
    const int rows = d_row.points, image = rows * d_width;
    float* half_re = d_half.data();
    float* half_im = half_re + size_t(rows) * d_col.size;
    float* power = d_power.data();
    float* out_re = power + image;
    float* out_im = out_re + image;
    std::fill_n(power, image, 0.0f);
    for (int s = 0; s < d_subarrays; ++s) {
        const size_t at = size_t(s) * d_stride;
        correlate_rows(d_row.waves.data(), re + at, half_re, rows, d_row.size, d_col.size);
        correlate_rows(d_row.waves.data(), im + at, half_im, rows, d_row.size, d_col.size);
        correlate_rows(half_re, d_col.waves.data(), out_re, rows, d_col.size, d_width);
        correlate_rows(half_im, d_col.waves.data(), out_im, rows, d_col.size, d_width);
        accumulate_power(out_re, out_im, &d_inverse_energy[size_t(s) * image], power, image);
    }
    const int best = static_cast<int>(std::max_element(power, power + image) - power);
    return { d_col.cosines[std::min(best % d_width, d_col.points - 1)],
             d_row.cosines[best / d_width],
             power[best] };
}

} // namespace estimation
} // namespace thzum
} // namespace gr
