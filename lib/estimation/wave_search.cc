/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "common/wide_floats.h"
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

/*! out[p] = sum_i waves[p][i] x[i], rows of \p cols floats; \p points is a multiple of row_multiple. */
THZUM_MULTIVERSION
void correlate_first_axis(const float* __restrict waves,
                          int points,
                          int size,
                          const float* __restrict x,
                          int cols,
                          float* __restrict out)
{
    for (int p = 0; p < points; p += row_multiple)
        for (int j = 0; j < cols; j += wide_count) {
            const float* w = waves + p * size;
            wide_floats a = {}, b = {}, c = {}, d = {};
            for (int i = 0; i < size; ++i) {
                const wide_floats line = wide_at(x + i * cols + j);
                a += w[i] * line;
                b += w[size + i] * line;
                c += w[2 * size + i] * line;
                d += w[3 * size + i] * line;
            }
            wide_at(out + p * cols + j) = a;
            wide_at(out + (p + 1) * cols + j) = b;
            wide_at(out + (p + 2) * cols + j) = c;
            wide_at(out + (p + 3) * cols + j) = d;
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
        for (int q = 0; q < width; q += wide_count) {
            wide_floats a = {}, b = {};
            for (int k = 0; k < size; ++k) {
                const wide_floats line = wide_at(waves + k * width + q);
                a += re[k] * line;
                b += im[k] * line;
            }
            const int at = p * width + q;
            wide_at(power + at) += (a * a + b * b) * wide_at(weight + at);
        }
    }
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
    d_apart = round_up(d_col.size, wide_count);
    d_input.resize(size_t(2) * d_row.size * d_apart, 0.0f);
    d_half.resize(size_t(2) * round_up(d_row.points, row_multiple) * d_apart);
    d_power.resize(size_t(d_row.points) * d_width);
    tabulate_energies(gram);
    d_row.waves.resize(size_t(round_up(d_row.points, row_multiple)) * d_row.size, 0.0f);

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
    float* power = d_power.data();
    std::fill_n(power, image, 0.0f);
    for (int s = 0; s < d_subarrays; ++s) {
        for (int i = 0; i < d_row.size; ++i) {
            const size_t at = size_t(s) * d_stride + i * d_col.size;
            std::copy_n(re + at, d_col.size, &d_input[size_t(2) * i * d_apart]);
            std::copy_n(im + at, d_col.size, &d_input[size_t(2 * i + 1) * d_apart]);
        }
        correlate_first_axis(d_row.waves.data(),
                             round_up(rows, row_multiple),
                             d_row.size,
                             d_input.data(),
                             2 * d_apart,
                             d_half.data());
        correlate_second_axis(d_half.data(),
                              rows,
                              d_col.size,
                              d_apart,
                              d_col.waves.data(),
                              d_width,
                              &d_inverse_energy[size_t(s) * image],
                              power);
    }
    const int best = static_cast<int>(std::max_element(power, power + image) - power);
    return { d_col.cosines[std::min(best % d_width, d_col.points - 1)],
             d_row.cosines[best / d_width],
             power[best] };
}

} // namespace estimation
} // namespace thzum
} // namespace gr
