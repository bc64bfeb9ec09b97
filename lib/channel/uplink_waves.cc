/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "channel/uplink_kernels.h"
#include "channel/uplink_waves.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {

namespace {

constexpr int width_step = 16;                  // see combine_waves()
constexpr size_t cache_limit = size_t(1) << 26; // floats kept as gains

} // namespace

uplink_waves::uplink_waves(const uplink_parameters& p)
    : d_shape(p.shape),
      d_n_entries(int(p.combiners.size() / p.shape.antennas())),
      d_width((p.n_users * p.n_paths + width_step - 1) / width_step * width_step),
      d_combiners(p.combiners)
{
    const size_t columns = size_t(p.n_realisations) * d_shape.n_subarrays * d_width;
    for (auto* plane : { &d_y_re, &d_y_im })
        plane->resize(columns * d_shape.rows);
    for (auto* plane : { &d_x_re, &d_x_im })
        plane->resize(columns * d_shape.cols);
    d_active.resize(size_t(p.n_realisations) * d_width);
    for (int b = 0; b < p.n_realisations; b++)
        for (int path = 0; path < p.n_users * p.n_paths; path++)
            lay_out(p, b, path);

    const int n = d_shape.elements();
    for (size_t row = 0; row < d_combiners.size() / n; row++) {
        double energy = 0.0;
        for (int i = 0; i < n; i++)
            energy += std::norm(std::complex<double>(d_combiners[row * n + i]));
        d_row_norms.push_back(float(std::sqrt(energy)));
    }
    const size_t per_slot = size_t(d_n_entries) * d_shape.n_subarrays * d_width;
    d_n_slots = int(std::clamp<size_t>(cache_limit / per_slot, 1, p.n_realisations));
    d_gain_re.resize(d_n_slots * per_slot);
    d_gain_im.resize(d_n_slots * per_slot);
    d_computed_for.assign(size_t(d_n_slots) * d_n_entries, -1);
}

void uplink_waves::lay_out(const uplink_parameters& p, int realisation, int path)
{
    const size_t row = size_t(realisation) * p.n_users * p.n_paths + path;
    for (int s = 0; s < d_shape.n_subarrays; s++) {
        const size_t from = row * d_shape.n_subarrays + s, to = wave(realisation, s);
        for (int r = 0; r < d_shape.rows; r++) {
            const gr_complex y = p.gain[from] * p.along_y[from * d_shape.rows + r];
            d_y_re[(to * d_shape.rows + r) * d_width + path] = y.real();
            d_y_im[(to * d_shape.rows + r) * d_width + path] = y.imag();
        }
        for (int c = 0; c < d_shape.cols; c++) {
            const gr_complex x = p.along_x[from * d_shape.cols + c];
            d_x_re[(to * d_shape.cols + c) * d_width + path] = x.real();
            d_x_im[(to * d_shape.cols + c) * d_width + path] = x.imag();
        }
        if (p.gain[from] != gr_complex(0))
            d_active[size_t(realisation) * d_width + path] = true;
    }
}

path_gains uplink_waves::combined(int realisation, int entry)
{
    const size_t slot = size_t(realisation % d_n_slots) * d_n_entries + entry;
    const size_t at = slot * d_shape.n_subarrays * d_width;
    if (d_computed_for[slot] != realisation) {
        compute(realisation, entry, &d_gain_re[at], &d_gain_im[at]);
        d_computed_for[slot] = realisation;
    }
    return { &d_gain_re[at], &d_gain_im[at] };
}

void uplink_waves::compute(int realisation, int entry, float* re, float* im) const
{
    const int rows = d_shape.rows, cols = d_shape.cols;
    for (int s = 0; s < d_shape.n_subarrays; s++) {
        const size_t at = wave(realisation, s) * d_width;
        const gr_complex* row =
            &d_combiners[(size_t(entry) * d_shape.n_subarrays + s) * d_shape.elements()];
        combine_waves(reinterpret_cast<const float*>(row),
                      &d_y_re[at * rows],
                      &d_y_im[at * rows],
                      &d_x_re[at * cols],
                      &d_x_im[at * cols],
                      rows,
                      cols,
                      d_width,
                      re + s * d_width,
                      im + s * d_width);
    }
}

void uplink_waves::response(
    int realisation, int first, int count, const gr_complex* weights, gr_complex* h) const
{
    std::fill_n(h, d_shape.antennas(), gr_complex(0));
    for (int s = 0; s < d_shape.n_subarrays; s++) {
        const size_t at = wave(realisation, s) * d_width;
        for (int i = 0; i < count; i++) {
            const size_t path = first + i;
            for (int r = 0; r < d_shape.rows; r++) {
                const size_t y = (at * d_shape.rows) + size_t(r) * d_width + path;
                const gr_complex weight = weights[i] * gr_complex(d_y_re[y], d_y_im[y]);
                gr_complex* out = h + size_t(s) * d_shape.elements() + r * d_shape.cols;
                const size_t x = at * d_shape.cols + path;
                for (int c = 0; c < d_shape.cols; c++)
                    out[c] += weight * gr_complex(d_x_re[x + size_t(c) * d_width],
                                                  d_x_im[x + size_t(c) * d_width]);
            }
        }
    }
}

} // namespace thzum
} // namespace gr
