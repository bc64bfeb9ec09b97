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

/*!
 * y_c[j] = sum_i m[i][j] x_c[i] for three columns: four rows are added at a time to sums that stay in
 * registers.
 */
THZUM_MULTIVERSION
void multiply_three(const float* __restrict m,
                    int rows,
                    int stride,
                    const float* __restrict x,
                    float* __restrict y)
{
    for (int first = 0; first < stride; first += column_multiple) {
        float a[column_multiple] = {}, b[column_multiple] = {}, c[column_multiple] = {};
        for (int i = 0; i < rows; i += row_multiple) {
            const float* m0 = m + i * stride + first;
            const float* m1 = m0 + stride;
            const float* m2 = m1 + stride;
            const float* m3 = m2 + stride;
            const float* xa = x + i;
            const float* xb = xa + stride;
            const float* xc = xb + stride;
            for (int j = 0; j < column_multiple; j++) {
                a[j] += xa[0] * m0[j] + xa[1] * m1[j] + xa[2] * m2[j] + xa[3] * m3[j];
                b[j] += xb[0] * m0[j] + xb[1] * m1[j] + xb[2] * m2[j] + xb[3] * m3[j];
                c[j] += xc[0] * m0[j] + xc[1] * m1[j] + xc[2] * m2[j] + xc[3] * m3[j];
            }
        }
        for (int j = 0; j < column_multiple; j++) {
            y[first + j] = a[j];
            y[stride + first + j] = b[j];
            y[2 * stride + first + j] = c[j];
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
      d_c(d_model->coefficients())
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

void pilot_gram::multiply(int subarray, const float* x, float* re, float* im) const
{
    const size_t first = size_t(subarray) * d_stride * d_stride;
    multiply_three(&d_re[first], d_size, d_stride, x, re);
    if (is_complex())
        multiply_three(&d_im[first], d_size, d_stride, x, im);
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
