/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_DETECTION_BATCH_PRODUCT_H
#define INCLUDED_THZUM_DETECTION_BATCH_PRODUCT_H

#include "common/packet.h"

namespace gr {
namespace thzum {

/*!
 * \brief out[b][:] = sum over i of in[b][i] * matrix[i][:] for every vector b of a batch.
 *
 * The result of a vector does not depend on the others.
 *
 * \param matrix [n][width], width a multiple of lanes
 * \param in [count][in_stride], of which the first n are read
 * \param out [count][width]
 */
void batch_product(
    const float* matrix, int n, int width, const float* in, int in_stride, int count, float* out);

/*!
 * \brief Two products of the same sizes, as two calls of batch_product(); for single vectors
 * faster, since the sums of one fill the waits of the other.
 */
void batch_product_pair(const float* const matrix[2],
                        int n,
                        int width,
                        const float* const in[2],
                        int in_stride,
                        int count,
                        float* const out[2]);

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_DETECTION_BATCH_PRODUCT_H */
