/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "common/packet.h"
#include "estimation/pilot_gram.h"
#include "measurement/matrix_kernels.h"
#include "measurement/padding.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

// y_c[j] = sum_i m[i][j] x_c[i] for one, three or six columns. The matrix streams through once;
// with few columns several rows have sums of their own, so that additions need not wait for each
// other.

constexpr int few = 3, many = 6; // columns

THZUM_MULTIVERSION
void multiply_one(
    const float* __restrict m, int rows, int stride, const float* __restrict x, float* __restrict y)
{
    for (int first = 0; first < stride; first += lanes) {
        packet a = {}, b = {}, c = {}, d = {};
        for (int i = 0; i < rows; i += row_multiple) {
            const float* line = m + i * stride + first;
            a += x[i] * packet_at(line);
            b += x[i + 1] * packet_at(line + stride);
            c += x[i + 2] * packet_at(line + 2 * stride);
            d += x[i + 3] * packet_at(line + 3 * stride);
        }
        packet_at(y + first) = (a + b) + (c + d);
    }
}

THZUM_MULTIVERSION
void multiply_few(
    const float* __restrict m, int rows, int stride, const float* __restrict x, float* __restrict y)
{
    for (int first = 0; first < stride; first += lanes) {
        packet a = {}, b = {}, c = {}, a1 = {}, b1 = {}, c1 = {};
        for (int i = 0; i < rows; i += 2) {
            const packet line = packet_at(m + i * stride + first);
            const packet next = packet_at(m + (i + 1) * stride + first);
            a += x[i] * line;
            b += x[stride + i] * line;
            c += x[2 * stride + i] * line;
            a1 += x[i + 1] * next;
            b1 += x[stride + i + 1] * next;
            c1 += x[2 * stride + i + 1] * next;
        }
        packet_at(y + first) = a + a1;
        packet_at(y + stride + first) = b + b1;
        packet_at(y + 2 * stride + first) = c + c1;
    }
}

THZUM_MULTIVERSION
void multiply_many(
    const float* __restrict m, int rows, int stride, const float* __restrict x, float* __restrict y)
{
    for (int first = 0; first < stride; first += lanes) {
        packet a = {}, b = {}, c = {}, d = {}, e = {}, f = {};
        for (int i = 0; i < rows; ++i) {
            const packet line = packet_at(m + i * stride + first);
            a += x[i] * line;
            b += x[stride + i] * line;
            c += x[2 * stride + i] * line;
            d += x[3 * stride + i] * line;
            e += x[4 * stride + i] * line;
            f += x[5 * stride + i] * line;
        }
        packet_at(y + first) = a;
        packet_at(y + stride + first) = b;
        packet_at(y + 2 * stride + first) = c;
        packet_at(y + 3 * stride + first) = d;
        packet_at(y + 4 * stride + first) = e;
        packet_at(y + 5 * stride + first) = f;
    }
}

} // namespace

pilot_gram::pilot_gram(observation_model::sptr model)
    : d_model(std::move(model)),
      d_subarrays(d_model->op()->shape().n_subarrays),
      d_size(d_model->dict()->coefficients()),
      d_stride(round_up(d_size, column_multiple)),
      d_re(size_t(d_subarrays) * d_stride * d_stride, 0.0f),
      d_im(d_re.size(), 0.0f),
      d_z(d_model->singular_values().size()),
      d_c(d_model->coefficients()),
      d_in(size_t(many) * d_stride, 0.0f),
      d_out(d_in.size(), 0.0f)
{
    const auto& sigma = d_model->singular_values();
    float real_peak = 0.0f, imag_peak = 0.0f;
    for (int j = 0; j < d_size; ++j) {
        std::fill(d_c.begin(), d_c.end(), gr_complex(0.0f));
        for (int s = 0; s < d_subarrays; ++s)
            d_c[size_t(s) * d_size + j] = 1.0f;
        d_model->to_singular(d_c.data(), d_z.data(), 1);
        for (size_t i = 0; i < d_z.size(); ++i)
            d_z[i] *= sigma[i] * sigma[i];
        d_model->from_singular(d_z.data(), d_c.data(), 1);
        for (int s = 0; s < d_subarrays; ++s)
            for (int i = 0; i < d_size; ++i) {
                const gr_complex value = d_c[size_t(s) * d_size + i];
                const size_t at = (size_t(s) * d_stride + j) * d_stride + i;
                d_re[at] = value.real();
                d_im[at] = value.imag();
                real_peak = std::max(real_peak, std::abs(value.real()));
                imag_peak = std::max(imag_peak, std::abs(value.imag()));
            }
    }
    constexpr float rounding = 1e-5f;
    if (imag_peak < rounding * real_peak)
        d_im.clear();
}

void pilot_gram::multiply(int subarray, int count, const float* x, float* re, float* im) const
{
    const size_t first = size_t(subarray) * d_stride * d_stride;
    const int rows = round_up(d_size, row_multiple);
    for (int at = 0; at < count; at += many) {
        const int now = std::min(many, count - at);
        const size_t begin = size_t(at) * d_stride, length = size_t(now) * d_stride;
        const auto run = [&](const float* m, float* y) {
            if (now == 1) {
                multiply_one(m, rows, d_stride, x + begin, y + begin);
                return;
            }
            std::copy_n(x + begin, length, d_in.data());
            (now > few ? multiply_many
                       : multiply_few)(m, rows, d_stride, d_in.data(), d_out.data());
            std::copy_n(d_out.data(), length, y + begin);
        };
        run(&d_re[first], re);
        if (is_complex())
            run(&d_im[first], im);
    }
}

void pilot_gram::matched_filter(const gr_complex* z, float* b)
{
    const auto& sigma = d_model->singular_values();
    multiply_elements(sigma.data(), z, d_z.data(), static_cast<int>(sigma.size()));
    d_model->from_singular(d_z.data(), d_c.data(), 1);
    for (int s = 0; s < d_subarrays; ++s) {
        float* out = b + size_t(2) * s * d_stride;
        split_complex(&d_c[size_t(s) * d_size], out, out + d_stride, d_size);
    }
}

} // namespace estimation
} // namespace thzum
} // namespace gr
