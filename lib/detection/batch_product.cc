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

} // namespace thzum
} // namespace gr
