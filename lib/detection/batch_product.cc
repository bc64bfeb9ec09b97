/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "detection/batch_product.h"

namespace gr {
namespace thzum {

namespace {

/*! V vectors times C registers' worth of columns, all sums in registers. */
template <int V, int C>
inline __attribute__((always_inline)) void
tile(const float* matrix, int n, int width, const float* in, int in_stride, float* out)
{
    packet sum[V][C] = {};
    for (int i = 0; i < n; i++) {
        const float* row = matrix + static_cast<long>(i) * width;
        for (int v = 0; v < V; v++)
            for (int c = 0; c < C; c++)
                sum[v][c] += in[v * in_stride + i] * packet_at(row + c * lanes);
    }
    for (int v = 0; v < V; v++)
        for (int c = 0; c < C; c++)
            packet_at(out + v * width + c * lanes) = sum[v][c];
}

THZUM_MULTIVERSION_ORDERED
void four_vectors(const float* matrix, int n, int width, const float* in, int in_stride, float* out)
{
    for (int c = 0; c < width; c += lanes)
        tile<4, 1>(matrix + c, n, width, in, in_stride, out + c);
}

THZUM_MULTIVERSION_ORDERED
void one_vector(const float* matrix, int n, int width, const float* in, int in_stride, float* out)
{
    int c = 0;
    for (; c + 3 * lanes <= width; c += 3 * lanes)
        tile<1, 3>(matrix + c, n, width, in, in_stride, out + c);
    for (; c < width; c += lanes)
        tile<1, 1>(matrix + c, n, width, in, in_stride, out + c);
}

/*! One vector times C registers' worth of columns of each of two matrices. */
template <int C>
inline __attribute__((always_inline)) void tile_pair(const float* first,
                                                     const float* second,
                                                     int n,
                                                     int width,
                                                     const float* first_in,
                                                     const float* second_in,
                                                     float* first_out,
                                                     float* second_out)
{
    packet first_sum[C] = {}, second_sum[C] = {};
    for (int i = 0; i < n; i++) {
        const long row = static_cast<long>(i) * width;
        for (int c = 0; c < C; c++) {
            first_sum[c] += first_in[i] * packet_at(first + row + c * lanes);
            second_sum[c] += second_in[i] * packet_at(second + row + c * lanes);
        }
    }
    for (int c = 0; c < C; c++) {
        packet_at(first_out + c * lanes) = first_sum[c];
        packet_at(second_out + c * lanes) = second_sum[c];
    }
}

THZUM_MULTIVERSION_ORDERED
void one_vector_pair(const float* const* matrix,
                     int n,
                     int width,
                     const float* const* in,
                     float* const* out,
                     long in_offset,
                     long out_offset)
{
    const float *first_in = in[0] + in_offset, *second_in = in[1] + in_offset;
    float *first_out = out[0] + out_offset, *second_out = out[1] + out_offset;
    int c = 0;
    for (; c + 3 * lanes <= width; c += 3 * lanes)
        tile_pair<3>(matrix[0] + c,
                     matrix[1] + c,
                     n,
                     width,
                     first_in,
                     second_in,
                     first_out + c,
                     second_out + c);
    for (; c < width; c += lanes)
        tile_pair<1>(matrix[0] + c,
                     matrix[1] + c,
                     n,
                     width,
                     first_in,
                     second_in,
                     first_out + c,
                     second_out + c);
}

} // namespace

void batch_product(
    const float* matrix, int n, int width, const float* in, int in_stride, int count, float* out)
{
    int b = 0;
    for (; b + 4 <= count; b += 4)
        four_vectors(matrix, n, width, in + b * in_stride, in_stride, out + b * width);
    for (; b < count; b++)
        one_vector(matrix, n, width, in + b * in_stride, in_stride, out + b * width);
}

void batch_product_pair(const float* const matrix[2],
                        int n,
                        int width,
                        const float* const in[2],
                        int in_stride,
                        int count,
                        float* const out[2])
{
    const int fours = count / 4 * 4;
    for (int k = 0; k < 2; k++)
        batch_product(matrix[k], n, width, in[k], in_stride, fours, out[k]);
    for (long b = fours; b < count; b++)
        one_vector_pair(matrix, n, width, in, out, b * in_stride, b * width);
}

} // namespace thzum
} // namespace gr
