/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "detection/linear_detector.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {

namespace {

constexpr int lanes = 16;

/*! One register's worth of users: out = W y for users [first, first + lanes). */
THZUM_MULTIVERSION
void filter_kernel(const float* w_re,
                   const float* w_im,
                   int width,
                   const float* y,
                   int n_rx,
                   float* out_re,
                   float* out_im)
{
    for (int first = 0; first < width; first += lanes) {
        float re[lanes] = {}, im[lanes] = {};
        for (int r = 0; r < n_rx; r++) {
            const float* a = w_re + r * width + first;
            const float* b = w_im + r * width + first;
            const float y_re = y[2 * r], y_im = y[2 * r + 1];
            for (int k = 0; k < lanes; k++) {
                re[k] += a[k] * y_re - b[k] * y_im;
                im[k] += a[k] * y_im + b[k] * y_re;
            }
        }
        for (int k = 0; k < lanes; k++) {
            out_re[first + k] = re[k];
            out_im[first + k] = im[k];
        }
    }
}

} // namespace

linear_detector::linear_detector(const std::string& name,
                                 const detector_sizes& sizes,
                                 const option_reader& options)
    : detector_base(name, sizes, options),
      d_row(sizes.n_rx),
      d_width((sizes.n_tx + lanes - 1) / lanes * lanes),
      d_re(static_cast<size_t>(sizes.n_rx) * d_width),
      d_im(d_re.size()),
      d_out(2 * d_width),
      d_filter_error(sizes.n_tx, 1.0f)
{
}

void linear_detector::clear_filter(double channel_energy, float noise_var)
{
    std::fill(d_re.begin(), d_re.end(), 0.0f);
    std::fill(d_im.begin(), d_im.end(), 0.0f);
    std::fill(d_filter_error.begin(), d_filter_error.end(), 1.0f);
    d_receive_energy = channel_energy / n_rx() + noise_var;
}

void linear_detector::set_filter(int a,
                                 const std::complex<double>* row,
                                 double gain,
                                 double variance)
{
    // W y runs in single precision: its rounding is noise that no channel can get rid of.
    constexpr double rounding = 0x1p-48;
    double energy = 0.0;
    for (int r = 0; r < n_rx(); r++)
        energy += std::norm(row[r]);
    variance += rounding * energy / (gain * gain) * d_receive_energy;
    // A user that is all but invisible gets a bounded estimate with the largest error variance.
    const double limit = std::min(1.0, std::sqrt(max_variance / variance));
    const int k = active()[a];
    for (int r = 0; r < n_rx(); r++) {
        const auto w = row[r] * (limit / gain);
        d_re[r * d_width + k] = static_cast<float>(w.real());
        d_im[r * d_width + k] = static_cast<float>(w.imag());
    }
    d_filter_error[k] = static_cast<float>(
        std::clamp(variance * limit * limit, double(min_variance), double(max_variance)));
}

void linear_detector::equalise(const gr_complex* y, int count, gr_complex* x_hat, float* variance)
{
    const int n = n_tx();
    for (int i = 0; i < count; i++) {
        filter_kernel(d_re.data(),
                      d_im.data(),
                      d_width,
                      reinterpret_cast<const float*>(y + static_cast<size_t>(i) * n_rx()),
                      n_rx(),
                      d_out.data(),
                      d_out.data() + d_width);
        for (int k = 0; k < n; k++)
            x_hat[i * n + k] = { d_out[k], d_out[d_width + k] };
        std::copy_n(d_filter_error.data(), n, variance + static_cast<size_t>(i) * n);
    }
}

} // namespace thzum
} // namespace gr
