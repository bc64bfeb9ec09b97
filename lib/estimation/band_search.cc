/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/band_search.h"
#include "estimation/correlate_rows.h"
#include "estimation/false_alarm.h"
#include "measurement/padding.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

constexpr double points_per_beam = 3.0; // a peak is then within 0.2 dB of the best direction
constexpr double rim = 1.02;            // of the disc, so that waves at its edge are found
constexpr int width_multiple = 16;

int grid_points(int elements, double spacing)
{
    return 2 * static_cast<int>(std::ceil(points_per_beam * elements * spacing)) + 1;
}

int transform_length(int subcarriers)
{
    int length = 1;
    while (length < 2 * subcarriers)
        length *= 2;
    return length;
}

} // namespace

band_search::band_search(const pilot_gram& gram,
                         const visible_region::sptr& region,
                         double spacing,
                         const subcarrier_grid& grid,
                         bool has_delays)
    : d_subarrays(gram.subarrays()),
      d_stride(gram.stride()),
      d_spacing(spacing),
      d_grid(grid),
      d_has_delays(has_delays)
{
    const wave_atoms atoms(region);
    const auto prepare = [&](axis& a, bool rows) {
        const int elements = rows ? atoms.rows() : atoms.cols();
        a.size = rows ? atoms.row_size() : atoms.col_size();
        a.points = elements > 1 ? grid_points(elements, spacing) : 1;
        for (int p = 0; p < a.points; ++p)
            a.cosines.push_back(a.points > 1 ? 2.0 * p / (a.points - 1) - 1.0 : 0.0);
    };
    prepare(d_row, true);
    prepare(d_col, false);
    d_width = round_up(d_col.points, width_multiple);
    const double across = std::max(1.0, 2.0 * spacing * atoms.rows());
    const double along = std::max(1.0, 2.0 * spacing * atoms.cols());
    d_cells = across * along * M_PI / 4.0;

    std::vector<double> wave(std::max(d_row.size, d_col.size)), slope(wave);
    d_col.waves.assign(size_t(grid.count) * d_col.size * d_width, 0.0f);
    for (int f = 0; f < grid.count; ++f) {
        const double cycles = spacing * grid.ratio[f];
        for (int p = 0; p < d_row.points; ++p) {
            atoms.row_axis(cycles * d_row.cosines[p], wave.data(), slope.data());
            d_row.waves.insert(d_row.waves.end(), wave.begin(), wave.begin() + d_row.size);
        }
        for (int p = 0; p < d_col.points; ++p) {
            atoms.col_axis(cycles * d_col.cosines[p], wave.data(), slope.data());
            for (int i = 0; i < d_col.size; ++i)
                d_col.waves[(size_t(f) * d_col.size + i) * d_width + p] =
                    static_cast<float>(wave[i]);
        }
    }
    for (int p = 0; p < d_row.points; ++p)
        for (int q = 0; q < d_col.points; ++q)
            if (std::hypot(d_col.cosines[q], d_row.cosines[p]) <= rim)
                d_points.push_back(p * d_width + q);
    d_half.resize(size_t(d_row.points) * d_col.size);
    d_images.resize(size_t(2) * grid.count * d_row.points * d_width);
    d_total.resize(d_points.size());
    d_delay.resize(d_points.size() * d_subarrays);
    if (has_delays)
        d_fft = std::make_unique<fft::fft_complex_rev>(transform_length(grid.count));
    tabulate_energies(gram, atoms);
}

void band_search::tabulate_energies(const pilot_gram& gram, const wave_atoms& region_atoms)
{
    wave_atoms atoms(region_atoms);
    std::vector<double> share(d_grid.nodes); // of each node in the mean over the subcarriers
    for (int f = 0; f < d_grid.count; ++f)
        for (int j = 0; j < d_grid.nodes; ++j)
            share[j] += d_grid.weight[size_t(f) * d_grid.nodes + j] / d_grid.count;
    d_inverse_energy.assign(d_points.size() * d_subarrays, 0.0f);
    volk::vector<float> wave(size_t(3) * d_stride, 0.0f), re(wave), im(wave);
    for (size_t i = 0; i < d_points.size(); ++i)
        for (int s = 0; s < d_subarrays; ++s) {
            double energy = 0.0;
            for (int j = 0; j < d_grid.nodes; ++j) {
                const double cycles = d_spacing * d_grid.node_ratio[j];
                atoms.evaluate(cycles * d_col.cosines[d_points[i] % d_width],
                               cycles * d_row.cosines[d_points[i] / d_width],
                               wave.data(),
                               &wave[d_stride],
                               &wave[2 * d_stride]);
                gram.multiply(s, 1, wave.data(), re.data(), im.data());
                for (int k = 0; k < gram.size(); ++k)
                    energy += share[j] * wave[k] * re[k];
            }
            constexpr double unseen = 1e-6;
            if (energy > unseen * gram.size())
                d_inverse_energy[s * d_points.size() + i] = static_cast<float>(1.0 / energy);
        }
}

void band_search::correlate(int s,
                            const float* re,
                            const float* im,
                            const std::vector<char>& measured)
{
    const int image = d_row.points * d_width;
    for (int f = 0; f < d_grid.count; ++f) {
        if (!measured[f])
            continue;
        const size_t at = (size_t(s) * d_grid.count + f) * d_stride;
        const float* rows = &d_row.waves[size_t(f) * d_row.points * d_row.size];
        const float* cols = &d_col.waves[size_t(f) * d_col.size * d_width];
        float* out = &d_images[size_t(2) * f * image];
        for (const float* part : { re + at, im + at }) {
            correlate_rows(rows, part, d_half.data(), d_row.points, d_row.size, d_col.size);
            correlate_rows(d_half.data(), cols, out, d_row.points, d_col.size, d_width);
            out += image;
        }
    }
}

// Largest power over the delays, from the spectrum that the caller has put into the transform.
double band_search::best_delay(int length, double* delay)
{
    d_fft->execute();
    const gr_complex* out = d_fft->get_outbuf();
    int best = 0;
    float most = -1.0f;
    for (int d = 0; d < length; ++d) {
        const float power = out[d].real() * out[d].real() + out[d].imag() * out[d].imag();
        if (power > most) {
            most = power;
            best = d;
        }
    }
    *delay = (best > length / 2 ? best - length : best) * double(d_grid.count) / length;
    return most;
}

band_search::peak band_search::strongest(const float* re,
                                         const float* im,
                                         const std::vector<char>& measured,
                                         std::vector<double>& delay)
{
    const int image = d_row.points * d_width, count = d_grid.count;
    const double share = 1.0 / std::max<long>(1, std::count(measured.begin(), measured.end(), 1));
    std::fill(d_total.begin(), d_total.end(), 0.0);
    for (int s = 0; s < d_subarrays; ++s) {
        correlate(s, re, im, measured);
        const float* weight = &d_inverse_energy[s * d_points.size()];
        for (size_t i = 0; i < d_points.size(); ++i) {
            const float* at = &d_images[d_points[i]];
            double power = 0.0;
            if (d_fft) {
                gr_complex* in = d_fft->get_inbuf();
                for (int f = 0; f < count; ++f, at += 2 * image)
                    in[f] = measured[f] ? gr_complex(at[0], at[image]) : 0.0f;
                power = share * best_delay(d_fft->inbuf_length(), &d_delay[i * d_subarrays + s]);
            } else {
                for (int f = 0; f < count; ++f, at += 2 * image)
                    if (measured[f])
                        power += at[0] * at[0] + at[image] * at[image];
            }
            d_total[i] += power * weight[i];
        }
    }
    const size_t best = std::max_element(d_total.begin(), d_total.end()) - d_total.begin();
    std::copy_n(&d_delay[best * d_subarrays], d_subarrays, delay.begin());
    return { d_col.cosines[d_points[best] % d_width],
             d_row.cosines[d_points[best] / d_width],
             d_total[best] };
}

// With delays every subarray adds the peak of a band-limited process, which lies above
// a = log(count sqrt(pi a / 3)), its rate of upcrossings, by what falls off like the power in one
// cell.
double band_search::threshold(double false_alarm) const
{
    if (!d_has_delays)
        return detection_threshold(d_cells, d_subarrays * d_grid.count, false_alarm);
    constexpr int rounds = 20;
    double above = 1.0;
    for (int i = 0; i < rounds; ++i)
        above = std::max(1.0, std::log(d_grid.count * std::sqrt(M_PI * above / 3.0)));
    return detection_threshold(d_cells, d_subarrays, false_alarm) + d_subarrays * above;
}

} // namespace estimation
} // namespace thzum
} // namespace gr
