/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "common/packet.h"
#include "detection/hermitian_factor.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {

namespace {

constexpr int tall = 4; // rows of a tile, whose sums stay in registers

/*! Real and imaginary parts of n complex numbers. */
THZUM_MULTIVERSION
void split_kernel(const float* from, int n, double* __restrict re, double* __restrict im)
{
    for (int k = 0; k < n; k++) {
        re[k] = from[2 * k];
        im[k] = from[2 * k + 1];
    }
}

/*! Upper triangle, in whole packets, of A^H A. \param is_lower A has zeros where column > row */
THZUM_MULTIVERSION
void gram_kernel(const double* a_re,
                 const double* a_im,
                 int rows,
                 int n,
                 int stride,
                 bool is_lower,
                 double* g_re,
                 double* g_im)
{
    for (int i = 0; i < n; i += tall)
        for (int k = i / double_lanes * double_lanes; k < stride; k += double_lanes) {
            double_packet re[tall] = {}, im[tall] = {};
            for (int r = is_lower ? k : 0; r < rows; r++) {
                const long row = static_cast<long>(r) * stride;
                const double_packet b_re = packet_at(a_re + row + k),
                                    b_im = packet_at(a_im + row + k);
                for (int t = 0; t < tall; t++) {
                    const double left_re = a_re[row + i + t], left_im = a_im[row + i + t];
                    re[t] += left_re * b_re + left_im * b_im;
                    im[t] += left_re * b_im - left_im * b_re;
                }
            }
            for (int t = 0; t < tall; t++) {
                packet_at(g_re + static_cast<long>(i + t) * stride + k) = re[t];
                packet_at(g_im + static_cast<long>(i + t) * stride + k) = im[t];
            }
        }
}

/*! In-place U^H U factor of the upper triangle; false when a pivot is not above its \p smallest.
 * Packets reach below the diagonal, where nothing is read. */
THZUM_MULTIVERSION
bool cholesky_kernel(double* re, double* im, int n, int stride, const double* smallest)
{
    for (int j = 0; j < n; j++) {
        double* from_re = re + static_cast<long>(j) * stride;
        double* from_im = im + static_cast<long>(j) * stride;
        if (from_re[j] <= smallest[j])
            return false;
        const double scale = 1.0 / std::sqrt(from_re[j]);
        for (int c = j / double_lanes * double_lanes; c < stride; c += double_lanes) {
            packet_at(from_re + c) *= scale;
            packet_at(from_im + c) *= scale;
        }
        for (int i = j + 1; i < n; i++) {
            const double u_re = from_re[i], u_im = from_im[i];
            double* to_re = re + static_cast<long>(i) * stride;
            double* to_im = im + static_cast<long>(i) * stride;
            for (int c = i / double_lanes * double_lanes; c < stride; c += double_lanes) {
                packet_at(to_re + c) -=
                    u_re * packet_at(from_re + c) + u_im * packet_at(from_im + c);
                packet_at(to_im + c) -=
                    u_re * packet_at(from_im + c) - u_im * packet_at(from_re + c);
            }
        }
    }
    return true;
}

/*! The identity becomes U^-H, row by row. */
THZUM_MULTIVERSION
void invert_kernel(
    const double* u_re, const double* u_im, int n, int stride, double* l_re, double* l_im)
{
    for (int j = 0; j < n; j++) {
        const double* u_row_re = u_re + static_cast<long>(j) * stride;
        const double* u_row_im = u_im + static_cast<long>(j) * stride;
        double* from_re = l_re + static_cast<long>(j) * stride;
        double* from_im = l_im + static_cast<long>(j) * stride;
        const double scale = 1.0 / u_row_re[j];
        for (int c = 0; c <= j; c += double_lanes) {
            packet_at(from_re + c) *= scale;
            packet_at(from_im + c) *= scale;
        }
        for (int i = j + 1; i < n; i++) {
            double* to_re = l_re + static_cast<long>(i) * stride;
            double* to_im = l_im + static_cast<long>(i) * stride;
            for (int c = 0; c <= j; c += double_lanes) {
                packet_at(to_re + c) -=
                    u_row_re[i] * packet_at(from_re + c) + u_row_im[i] * packet_at(from_im + c);
                packet_at(to_im + c) -=
                    u_row_re[i] * packet_at(from_im + c) - u_row_im[i] * packet_at(from_re + c);
            }
        }
    }
}

} // namespace

hermitian_factor::hermitian_factor(int n_rx, int max_columns)
    : d_n_rx(n_rx), d_smallest(max_columns)
{
    const size_t stride = padded(max_columns);
    for (auto* part : { &d_h_re, &d_h_im })
        part->resize(n_rx * stride);
    for (auto* part : { &d_re, &d_im, &d_lower_re, &d_lower_im, &d_inverse_re, &d_inverse_im })
        part->resize(stride * stride);
}

void hermitian_factor::load(const gr_complex* H, int n)
{
    d_n = n;
    d_stride = padded(n);
    for (int r = 0; r < d_n_rx; r++) {
        double* re = &d_h_re[static_cast<size_t>(r) * d_stride];
        double* im = &d_h_im[static_cast<size_t>(r) * d_stride];
        split_kernel(reinterpret_cast<const float*>(H + static_cast<size_t>(r) * n), n, re, im);
        std::fill(re + n, re + d_stride, 0.0);
        std::fill(im + n, im + d_stride, 0.0);
    }
    form_gram();
}

void hermitian_factor::form_gram()
{
    gram_kernel(
        d_h_re.data(), d_h_im.data(), d_n_rx, d_n, d_stride, false, d_re.data(), d_im.data());
}

double hermitian_factor::total_energy() const
{
    double sum = 0.0;
    for (int i = 0; i < d_n; i++)
        sum += d_re[i * d_stride + i];
    return sum;
}

bool hermitian_factor::factor(double loading)
{
    for (int i = 0; i < d_n; i++) {
        double& diagonal = d_re[i * d_stride + i];
        diagonal += loading;
        d_smallest[i] = dependence * diagonal;
        d_im[i * d_stride + i] = 0.0;
    }
    return cholesky_kernel(d_re.data(), d_im.data(), d_n, d_stride, d_smallest.data());
}

// With L = U^-H the inverse is L^H L.
void hermitian_factor::invert()
{
    const size_t size = static_cast<size_t>(d_n) * d_stride;
    std::fill_n(d_lower_re.data(), size, 0.0);
    std::fill_n(d_lower_im.data(), size, 0.0);
    for (int i = 0; i < d_n; i++)
        d_lower_re[i * d_stride + i] = 1.0;
    invert_kernel(d_re.data(), d_im.data(), d_n, d_stride, d_lower_re.data(), d_lower_im.data());
    gram_kernel(d_lower_re.data(),
                d_lower_im.data(),
                d_n,
                d_n,
                d_stride,
                true,
                d_inverse_re.data(),
                d_inverse_im.data());
    for (int i = 0; i < d_n; i++) {
        d_inverse_im[i * d_stride + i] = 0.0;
        for (int j = 0; j < i; j++) {
            d_inverse_re[i * d_stride + j] = d_inverse_re[j * d_stride + i];
            d_inverse_im[i * d_stride + j] = -d_inverse_im[j * d_stride + i];
        }
    }
}

} // namespace thzum
} // namespace gr
