/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "channel/uplink_kernels.h"
#include "common/multiversion.h"

namespace gr {
namespace thzum {

namespace {

constexpr int lanes = 16; // of combine_waves()
constexpr int narrow = 4; // samples at a time where a combiner is in force for a few only

} // namespace

THZUM_MULTIVERSION_ORDERED
void delay_tiles(const float* __restrict weights,
                 int taps,
                 const float* __restrict x_re,
                 const float* __restrict x_im,
                 float* __restrict z_re,
                 float* __restrict z_im,
                 int count)
{
    for (int first = 0; first < count; first += uplink_tile) {
        float re[uplink_tile] = {}, im[uplink_tile] = {};
        for (int j = 0; j < taps; j++) {
            const float weight = weights[j];
            const float* a = x_re + first - j;
            const float* b = x_im + first - j;
            for (int i = 0; i < uplink_tile; i++) {
                re[i] += weight * a[i];
                im[i] += weight * b[i];
            }
        }
        for (int i = 0; i < uplink_tile; i++) {
            z_re[first + i] = re[i];
            z_im[first + i] = im[i];
        }
    }
}

THZUM_MULTIVERSION_ORDERED
void rotate(const float* __restrict phasor_re,
            const float* __restrict phasor_im,
            float* __restrict z_re,
            float* __restrict z_im,
            int count)
{
    for (int first = 0; first < count; first += uplink_tile)
        for (int i = first; i < first + uplink_tile; i++) {
            const float re = z_re[i] * phasor_re[i] - z_im[i] * phasor_im[i];
            const float im = z_re[i] * phasor_im[i] + z_im[i] * phasor_re[i];
            z_re[i] = re;
            z_im[i] = im;
        }
}

THZUM_MULTIVERSION_ORDERED
void weigh_paths(const float* __restrict gain_re,
                 const float* __restrict gain_im,
                 const int* __restrict path,
                 const float* __restrict turn_re,
                 const float* __restrict turn_im,
                 float* __restrict w_re,
                 float* __restrict w_im,
                 int count)
{
    for (int i = 0; i < count; i++) {
        const float re = gain_re[path[i]], im = gain_im[path[i]];
        w_re[i] = re * turn_re[i] - im * turn_im[i];
        w_im[i] = re * turn_im[i] + im * turn_re[i];
    }
}

// Products are added one at a time in both widths, so that a sample comes out the same in either.
THZUM_MULTIVERSION_ORDERED
void mix_paths(const float* __restrict w_re,
               const float* __restrict w_im,
               int paths,
               const float* __restrict z_re,
               const float* __restrict z_im,
               int stride,
               float* __restrict y_re,
               float* __restrict y_im,
               int count)
{
    int first = 0;
    for (; count - first > 2 * narrow; first += uplink_tile) {
        float re[uplink_tile] = {}, im[uplink_tile] = {};
        for (int p = 0; p < paths; p++) {
            const float a = w_re[p], b = w_im[p];
            const float* x = z_re + p * stride + first;
            const float* y = z_im + p * stride + first;
            for (int i = 0; i < uplink_tile; i++) {
                re[i] += a * x[i];
                im[i] += a * y[i];
                re[i] -= b * y[i];
                im[i] += b * x[i];
            }
        }
        const int width = count - first < uplink_tile ? count - first : uplink_tile;
        for (int i = 0; i < width; i++) {
            y_re[first + i] = re[i];
            y_im[first + i] = im[i];
        }
    }
    for (; first < count; first += narrow) {
        float re[narrow] = {}, im[narrow] = {};
        for (int p = 0; p < paths; p++) {
            const float a = w_re[p], b = w_im[p];
            const float* x = z_re + p * stride + first;
            const float* y = z_im + p * stride + first;
            for (int i = 0; i < narrow; i++) {
                re[i] += a * x[i];
                im[i] += a * y[i];
                re[i] -= b * y[i];
                im[i] += b * x[i];
            }
        }
        const int width = count - first < narrow ? count - first : narrow;
        for (int i = 0; i < width; i++) {
            y_re[first + i] = re[i];
            y_im[first + i] = im[i];
        }
    }
}

THZUM_MULTIVERSION
void combine_waves(const float* __restrict combiner,
                   const float* __restrict y_re,
                   const float* __restrict y_im,
                   const float* __restrict x_re,
                   const float* __restrict x_im,
                   int rows,
                   int cols,
                   int width,
                   float* __restrict g_re,
                   float* __restrict g_im)
{
    for (int first = 0; first < width; first += lanes) {
        float sum_re[lanes] = {}, sum_im[lanes] = {};
        for (int r = 0; r < rows; r++) {
            float re[lanes] = {}, im[lanes] = {};
            for (int c = 0; c < cols; c++) {
                const float a = combiner[2 * (r * cols + c)];
                const float b = combiner[2 * (r * cols + c) + 1];
                const float* x = x_re + c * width + first;
                const float* y = x_im + c * width + first;
                for (int p = 0; p < lanes; p++) {
                    re[p] += a * x[p] - b * y[p];
                    im[p] += a * y[p] + b * x[p];
                }
            }
            const float* x = y_re + r * width + first;
            const float* y = y_im + r * width + first;
            for (int p = 0; p < lanes; p++) {
                sum_re[p] += re[p] * x[p] - im[p] * y[p];
                sum_im[p] += re[p] * y[p] + im[p] * x[p];
            }
        }
        for (int p = 0; p < lanes; p++) {
            g_re[first + p] = sum_re[p];
            g_im[first + p] = sum_im[p];
        }
    }
}

} // namespace thzum
} // namespace gr
