/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/pilot_gram.h"
#include "measurement/matrix_kernels.h"
#include "measurement/padding.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {
namespace estimation {

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
                const size_t at = (size_t(s) * d_stride + i) * d_stride + j;
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

void pilot_gram::multiply(int subarray, const float* x, int columns, float* re, float* im) const
{
    const size_t first = size_t(subarray) * d_stride * d_stride;
    multiply_columns(&d_re[first], d_stride, d_stride, x, columns, re);
    if (is_complex())
        multiply_columns(&d_im[first], d_stride, d_stride, x, columns, im);
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
