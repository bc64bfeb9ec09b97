/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/band_search.h"
#include "estimation/correlate_rows.h"
#include "estimation/false_alarm.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

constexpr double points_per_beam = 3.0; // a peak is then within 0.2 dB of the best direction
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
    : band_search(gram, wave_atoms(region), spacing, grid, has_delays)
{
}

band_search::band_search(const pilot_gram& gram,
                         const wave_atoms& atoms,
                         double spacing,
                         const subcarrier_grid& grid,
                         bool has_delays)
    : d_subarrays(gram.subarrays()),
      d_stride(gram.stride()),
      d_spacing(spacing),
      d_grid(grid),
      d_has_delays(has_delays),
      d_directions(atoms, spacing, points_per_beam),
      d_row_size(atoms.row_size()),
      d_col_size(atoms.col_size()),
      d_cells(resolution_cells(atoms, spacing)),
      d_half(size_t(d_directions.rows()) * d_col_size),
      d_images(size_t(2) * grid.count * d_directions.rows() * d_directions.width())
{
    for (int f = 0; f < grid.count; ++f) {
        const auto rows = d_directions.row_waves(spacing * grid.ratio[f]);
        const auto cols = d_directions.padded(d_directions.col_waves(spacing * grid.ratio[f]));
        d_row_waves.insert(d_row_waves.end(), rows.begin(), rows.end());
        d_col_waves.insert(d_col_waves.end(), cols.begin(), cols.end());
    }
    for (int p = 0; p < d_directions.rows(); ++p)
        for (int q = 0; q < d_directions.cols(); ++q)
            if (d_directions.is_visible(p, q))
                d_points.push_back(p * d_directions.width() + q);
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
                atoms.evaluate(cycles * d_directions.col_cosine(d_points[i] % d_directions.width()),
                               cycles * d_directions.row_cosine(d_points[i] / d_directions.width()),
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
    const int image = d_directions.rows() * d_directions.width();
    for (int f = 0; f < d_grid.count; ++f) {
        if (!measured[f])
            continue;
        const size_t at = (size_t(s) * d_grid.count + f) * d_stride;
        const float* rows = &d_row_waves[size_t(f) * d_directions.rows() * d_row_size];
        const float* cols = &d_col_waves[size_t(f) * d_col_size * d_directions.width()];
        float* out = &d_images[size_t(2) * f * image];
        for (const float* part : { re + at, im + at }) {
            correlate_rows(rows, part, d_half.data(), d_directions.rows(), d_row_size, d_col_size);
            correlate_rows(
                d_half.data(), cols, out, d_directions.rows(), d_col_size, d_directions.width());
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
    const int image = d_directions.rows() * d_directions.width(), count = d_grid.count;
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
    return { d_directions.col_cosine(d_points[best] % d_directions.width()),
             d_directions.row_cosine(d_points[best] / d_directions.width()),
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
