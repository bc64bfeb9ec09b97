/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "estimation/correlate_rows.h"

namespace gr {
namespace thzum {
namespace estimation {

THZUM_MULTIVERSION
void correlate_rows(const float* __restrict waves,
                    const float* __restrict x,
                    float* __restrict out,
                    int points,
                    int size,
                    int cols)
{
    for (int p = 0; p < points; ++p) {
        float* __restrict line = out + p * cols;
        for (int j = 0; j < cols; ++j)
            line[j] = 0.0f;
        for (int i = 0; i < size; ++i) {
            const float a = waves[p * size + i];
            const float* __restrict from = x + i * cols;
            for (int j = 0; j < cols; ++j)
                line[j] += a * from[j];
        }
    }
}

} // namespace estimation
} // namespace thzum
} // namespace gr
