/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "estimation/pilot_gram.h"
#include "measurement/matrix_kernels.h"
#include "measurement/padding.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

// y_c[j] = sum_i m[i][j] x_c[i] for one, three or six columns. The matrix streams through once; the
// sums of a block of columns stay in registers, which takes arrays of their own.

constexpr int few = 3, many = 6; // columns

THZUM_MULTIVERSION
void multiply_one(const float* __restrict m, int rows, int stride, const float* __restrict x, float* __restrict y)
{
    for (int first = 0; first < stride; first += column_multiple) {
        float a[column_multiple] = {};
        for (int i = 0; i < rows; ++i) {
            const float* line = m + i * stride + first;
            const float xa = x[i];
            for (int j = 0; j < column_multiple; ++j)
                a[j] += xa * line[j];
        }
        for (int j = 0; j < column_multiple; ++j)
            y[first + j] = a[j];
    }
}

THZUM_MULTIVERSION
void multiply_few(const float* __restrict m, int rows, int stride, const float* __restrict x, float* __restrict y)
{
    for (int first = 0; first < stride; first += column_multiple) {
        float a[column_multiple] = {}, b[column_multiple] = {}, c[column_multiple] = {};
        for (int i = 0; i < rows; ++i) {
            const float* line = m + i * stride + first;
            const float xa = x[i], xb = x[stride + i], xc = x[2 * stride + i];
            for (int j = 0; j < column_multiple; ++j) {
                a[j] += xa * line[j];
                b[j] += xb * line[j];
                c[j] += xc * line[j];
            }
        }
        for (int j = 0; j < column_multiple; ++j) {
            y[first + j] = a[j];
            y[stride + first + j] = b[j];
            y[2 * stride + first + j] = c[j];
        }
    }
}

THZUM_MULTIVERSION
void multiply_many(const float* __restrict m, int rows, int stride, const float* __restrict x, float* __restrict y)
{
    for (int first = 0; first < stride; first += column_multiple) {
        float a[column_multiple] = {}, b[column_multiple] = {}, c[column_multiple] = {};
        float d[column_multiple] = {}, e[column_multiple] = {}, f[column_multiple] = {};
        for (int i = 0; i < rows; ++i) {
            const float* line = m + i * stride + first;
            const float xa = x[i], xb = x[stride + i], xc = x[2 * stride + i];
            const float xd = x[3 * stride + i], xe = x[4 * stride + i], xf = x[5 * stride + i];
            for (int j = 0; j < column_multiple; ++j) {
                a[j] += xa * line[j];
                b[j] += xb * line[j];
                c[j] += xc * line[j];
                d[j] += xd * line[j];
                e[j] += xe * line[j];
                f[j] += xf * line[j];
            }
        }
        for (int j = 0; j < column_multiple; ++j) {
            y[first + j] = a[j];
            y[stride + first + j] = b[j];
            y[2 * stride + first + j] = c[j];
            y[3 * stride + first + j] = d[j];
            y[4 * stride + first + j] = e[j];
            y[5 * stride + first + j] = f[j];
        }
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
    for (int at = 0; at < count; at += many) {
        const int now = std::min(many, count - at);
        const size_t begin = size_t(at) * d_stride, length = size_t(now) * d_stride;
        const auto run = [&](const float* m, float* y) {
            if (now == 1) {
                multiply_one(m, d_size, d_stride, x + begin, y + begin);
                return;
            }
            std::copy_n(x + begin, length, d_in.data());
            (now > few ? multiply_many : multiply_few)(m, d_size, d_stride, d_in.data(), d_out.data());
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
