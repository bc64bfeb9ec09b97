/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_DETECTION_BATCH_PRODUCT_H
#define INCLUDED_THZUM_DETECTION_BATCH_PRODUCT_H

#include "detection/packet.h"

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

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_DETECTION_BATCH_PRODUCT_H */
