/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "estimation/delay_subspace.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

using complexd = std::complex<double>;

// Windows of three quarters of the band resolve delays well and leave enough windows to average.
int window_of(int subcarriers) { return std::max(1, 3 * subcarriers / 4); }

/*! sum_i x_i conj(y_i): re, im. */
THZUM_MULTIVERSION
void inner_product(const float* __restrict x_re,
                   const float* __restrict x_im,
                   const float* __restrict y_re,
                   const float* __restrict y_im,
                   int n,
                   float* __restrict out)
{
    float re = 0.0f, im = 0.0f;
    for (int i = 0; i < n; ++i) {
        re += x_re[i] * y_re[i] + x_im[i] * y_im[i];
        im += x_im[i] * y_re[i] - x_re[i] * y_im[i];
    }
    out[0] = re;
    out[1] = im;
}

/*! out = sum_f (a_f + j b_f) (re_f + j im_f), interleaved; re and im are [count][stride]. */
THZUM_MULTIVERSION
void combine(const float* __restrict a,
             const float* __restrict b,
             const float* __restrict re,
             const float* __restrict im,
             int count,
             int stride,
             int n,
             float* __restrict out)
{
    for (int i = 0; i < n; ++i) {
        float sum_re = 0.0f, sum_im = 0.0f;
        for (int f = 0; f < count; ++f) {
            const float x = re[f * stride + i], y = im[f * stride + i];
            sum_re += a[f] * x - b[f] * y;
            sum_im += a[f] * y + b[f] * x;
        }
        out[2 * i] = sum_re;
        out[2 * i + 1] = sum_im;
    }
}

} // namespace

delay_subspace::delay_subspace(int subcarriers, int length)
    : d_subcarriers(subcarriers),
      d_window(window_of(subcarriers)),
      d_length(length),
      d_re(size_t(subcarriers) * length),
      d_im(d_re.size()),
      d_filter(size_t(2) * subcarriers * subcarriers),
      d_cross(subcarriers, subcarriers),
      d_covariance(d_window, d_window),
      d_projector(d_window, d_window),
      d_solver(d_window)
{
}

double
delay_subspace::smooth(gr_complex* h, size_t stride, int dimensions, double error_variance)
{
    load(h, stride);
    average_covariance();
    build_filter(dimensions, error_variance);
    double kept = 0.0;
    for (int f = 0; f < d_subcarriers; ++f) {
        const float* row = &d_filter[size_t(2) * f * d_subcarriers];
        combine(row,
                row + d_subcarriers,
                d_re.data(),
                d_im.data(),
                d_subcarriers,
                d_length,
                d_length,
                reinterpret_cast<float*>(h + f * stride));
        for (int k = 0; k < 2 * d_subcarriers; ++k)
            kept += double(row[k]) * row[k] / d_subcarriers;
    }
    const double independent = std::min(d_floor, error_variance);
    return error_variance - independent + kept * independent;
}

void delay_subspace::load(const gr_complex* h, size_t stride)
{
    for (int f = 0; f < d_subcarriers; ++f)
        for (int i = 0; i < d_length; ++i) {
            d_re[size_t(f) * d_length + i] = h[f * stride + i].real();
            d_im[size_t(f) * d_length + i] = h[f * stride + i].imag();
        }
}

void delay_subspace::average_covariance()
{
    for (int i = 0; i < d_subcarriers; ++i)
        for (int j = 0; j <= i; ++j) {
            float product[2];
            const size_t a = size_t(i) * d_length, b = size_t(j) * d_length;
            inner_product(&d_re[a], &d_im[a], &d_re[b], &d_im[b], d_length, product);
            d_cross(i, j) = complexd(product[0], product[1]);
            d_cross(j, i) = std::conj(d_cross(i, j));
        }
    const int windows = d_subcarriers - d_window + 1;
    const double scale = 0.5 / (double(windows) * d_length);
    for (int i = 0; i < d_window; ++i)
        for (int j = 0; j < d_window; ++j) {
            complexd sum = 0.0;
            for (int w = 0; w < windows; ++w)
                sum += d_cross(w + i, w + j) +
                       std::conj(d_cross(w + d_window - 1 - i, w + d_window - 1 - j));
            d_covariance(i, j) = scale * sum;
        }
}

// Errors alone have eigenvalues up to (1 + sqrt(window / dimensions))^2 of their variance (Marchenko and
// Pastur, 1967).
void delay_subspace::build_filter(int dimensions, double error_variance)
{
    d_solver.compute(d_covariance);
    const double root = 1.0 + std::sqrt(double(d_window) / dimensions);
    const double edge = error_variance * root * root;
    d_projector.setZero();
    int rejected = 0;
    d_floor = 0.0;
    for (int k = 0; k < d_window; ++k) {
        const double power = d_solver.eigenvalues()[k];
        if (!(power > edge)) {
            d_floor += (power - d_floor) / ++rejected;
            continue;
        }
        const double share = 1.0 - error_variance / power;
        const auto vector = d_solver.eigenvectors().col(k);
        for (int j = 0; j < d_window; ++j)
            for (int i = 0; i < d_window; ++i)
                d_projector(i, j) += share * vector[i] * std::conj(vector[j]);
    }
    std::fill(d_filter.begin(), d_filter.end(), 0.0f);
    const int last = d_subcarriers - d_window;
    for (int f = 0; f < d_subcarriers; ++f) {
        const int from = std::max(0, f - d_window + 1), to = std::min(last, f);
        float* row = &d_filter[size_t(2) * f * d_subcarriers];
        for (int w = from; w <= to; ++w)
            for (int j = 0; j < d_window; ++j) {
                const complexd value = d_projector(f - w, j) / double(to - from + 1);
                row[w + j] += static_cast<float>(value.real());
                row[d_subcarriers + w + j] += static_cast<float>(value.imag());
            }
    }
}

} // namespace estimation
} // namespace thzum
} // namespace gr
