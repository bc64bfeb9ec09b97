/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "common/packet.h"
#include "detection/linear_detector.h"
#include <algorithm>
#include <cmath>
#include <tuple>

namespace gr {
namespace thzum {

namespace {

/*! out[k] = sum over rows of conj(a[row][k]) in[row], whole packets of columns. */
template <typename T>
inline __attribute__((always_inline)) void adjoint_times(const double* a_re,
                                                         const double* a_im,
                                                         int rows,
                                                         int stride,
                                                         const T* in_re,
                                                         const T* in_im,
                                                         int step,
                                                         double* out_re,
                                                         double* out_im)
{
    for (int k = 0; k < stride; k += double_lanes) {
        double_packet re = {}, im = {}, re_2 = {}, im_2 = {};
        for (int r = 0; r < rows; r++) {
            const double_packet& b_re = packet_at(a_re + static_cast<long>(r) * stride + k);
            const double_packet& b_im = packet_at(a_im + static_cast<long>(r) * stride + k);
            const double x_re = in_re[r * step], x_im = in_im[r * step];
            re += b_re * x_re;
            re_2 += b_im * x_im;
            im += b_re * x_im;
            im_2 += b_im * x_re;
        }
        packet_at(out_re + k) = re + re_2;
        packet_at(out_im + k) = im - im_2;
    }
}

THZUM_MULTIVERSION
void match_kernel(const double* h_re,
                  const double* h_im,
                  int rows,
                  int stride,
                  const float* y,
                  double* out_re,
                  double* out_im)
{
    adjoint_times(h_re, h_im, rows, stride, y, y + 1, 2, out_re, out_im);
}

THZUM_MULTIVERSION
void solve_kernel(const double* m_re,
                  const double* m_im,
                  int n,
                  int stride,
                  const double* in_re,
                  const double* in_im,
                  double* out_re,
                  double* out_im)
{
    adjoint_times(m_re, m_im, n, stride, in_re, in_im, 1, out_re, out_im);
}

} // namespace

linear_detector::linear_detector(const std::string& name,
                                 const detector_sizes& sizes,
                                 const option_reader& options)
    : detector_base(name, sizes, options),
      d_factor(sizes.n_rx, sizes.n_tx),
      d_gain(sizes.n_tx),
      d_error(sizes.n_tx),
      d_scale(sizes.n_tx),
      d_matched_re(hermitian_factor::padded(sizes.n_tx)),
      d_matched_im(d_matched_re.size()),
      d_out_re(d_matched_re.size()),
      d_out_im(d_matched_re.size()),
      d_filter_error(sizes.n_tx, 1.0f)
{
}

void linear_detector::prepare(const gr_complex* H, int n_active, float noise_var)
{
    d_n_active = n_active;
    d_factor.load(H, n_active);
    std::tie(d_re, d_im) = solve(d_factor, n_active, noise_var, d_gain.data(), d_error.data());
    for (int a = 0; a < n_active; a++) {
        // A user that is all but invisible gets a bounded estimate with the largest error variance.
        const double limit = std::min(1.0, std::sqrt(max_variance / d_error[a]));
        d_scale[a] = limit / d_gain[a];
        d_filter_error[active()[a]] = static_cast<float>(
            std::clamp(d_error[a] * limit * limit, double(min_variance), double(max_variance)));
    }
}

void linear_detector::equalise(const gr_complex* y, int count, gr_complex* x_hat, float* variance)
{
    const int n = n_tx(), stride = d_factor.stride();
    for (int i = 0; i < count; i++) {
        match_kernel(d_factor.channel_re(),
                     d_factor.channel_im(),
                     n_rx(),
                     stride,
                     reinterpret_cast<const float*>(y + static_cast<size_t>(i) * n_rx()),
                     d_matched_re.data(),
                     d_matched_im.data());
        solve_kernel(d_re,
                     d_im,
                     d_n_active,
                     stride,
                     d_matched_re.data(),
                     d_matched_im.data(),
                     d_out_re.data(),
                     d_out_im.data());
        gr_complex* x = x_hat + static_cast<size_t>(i) * n;
        for (int a = 0; a < d_n_active; a++)
            x[active()[a]] = { static_cast<float>(d_scale[a] * d_out_re[a]),
                               static_cast<float>(d_scale[a] * d_out_im[a]) };
        std::copy_n(d_filter_error.data(), n, variance + static_cast<size_t>(i) * n);
    }
}

} // namespace thzum
} // namespace gr
