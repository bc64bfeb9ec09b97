/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_CHANNEL_UPLINK_KERNELS_H
#define INCLUDED_THZUM_CHANNEL_UPLINK_KERNELS_H

namespace gr {
namespace thzum {

/*! Samples that the kernels work on at a time; inputs and outputs are padded by as many. */
constexpr int uplink_tile = 32;

/*! z[i] = sum_j weights[j] x[i - j] for i < count, rounded up to whole tiles. */
void delay_tiles(const float* weights,
                 int taps,
                 const float* x_re,
                 const float* x_im,
                 float* z_re,
                 float* z_im,
                 int count);

/*! z[i] *= phasor[i] for i < count. */
void rotate(const float* phasor_re, const float* phasor_im, float* z_re, float* z_im, int count);

/*! w[i] = gain[path[i]] * turn[i] for i < count. */
void weigh_paths(const float* gain_re,
                 const float* gain_im,
                 const int* path,
                 const float* turn_re,
                 const float* turn_im,
                 float* w_re,
                 float* w_im,
                 int count);

/*!
 * \brief y[i] = sum_p w[p] z[p][i] for i < count.
 * \param stride from a path's z to the next one's; z is padded by a tile
 */
void mix_paths(const float* w_re,
               const float* w_im,
               int paths,
               const float* z_re,
               const float* z_im,
               int stride,
               float* y_re,
               float* y_im,
               int count);

/*!
 * \brief Sums over the elements of a subarray: g[p] = sum_r y[r][p] sum_c combiner[r][c] x[c][p].
 * \param combiner interleaved [rows][cols]
 * \param width paths, a multiple of 16
 */
void combine_waves(const float* combiner,
                   const float* y_re,
                   const float* y_im,
                   const float* x_re,
                   const float* x_im,
                   int rows,
                   int cols,
                   int width,
                   float* g_re,
                   float* g_im);

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_CHANNEL_UPLINK_KERNELS_H */
