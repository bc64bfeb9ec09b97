/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "measurement/walsh_hadamard.h"

namespace gr {
namespace thzum {

// Radix-4 butterflies from the widest stride down; the last pass joins neighbours.
THZUM_MULTIVERSION
void walsh_hadamard(float* x, int n)
{
    int span = 2 * n; // floats joined by one butterfly
    for (; span > 8; span /= 4) {
        const int stride = span / 4;
        for (float* block = x; block < x + 2 * n; block += span) {
            float* __restrict p0 = block;
            float* __restrict p1 = block + stride;
            float* __restrict p2 = block + 2 * stride;
            float* __restrict p3 = block + 3 * stride;
            for (int i = 0; i < stride; i++) {
                const float sum02 = p0[i] + p2[i], difference02 = p0[i] - p2[i];
                const float sum13 = p1[i] + p3[i], difference13 = p1[i] - p3[i];
                p0[i] = sum02 + sum13;
                p1[i] = sum02 - sum13;
                p2[i] = difference02 + difference13;
                p3[i] = difference02 - difference13;
            }
        }
    }
    if (span == 8) {
        for (int i = 0; i < 2 * n; i += 8) {
            float* p = x + i;
            const float re02 = p[0] + p[4], im02 = p[1] + p[5];
            const float re0_2 = p[0] - p[4], im0_2 = p[1] - p[5];
            const float re13 = p[2] + p[6], im13 = p[3] + p[7];
            const float re1_3 = p[2] - p[6], im1_3 = p[3] - p[7];
            p[0] = re02 + re13, p[1] = im02 + im13;
            p[2] = re02 - re13, p[3] = im02 - im13;
            p[4] = re0_2 + re1_3, p[5] = im0_2 + im1_3;
            p[6] = re0_2 - re1_3, p[7] = im0_2 - im1_3;
        }
    } else if (span == 4) {
        for (int i = 0; i < 2 * n; i += 4) {
            float* p = x + i;
            const float re = p[0] - p[2], im = p[1] - p[3];
            p[0] += p[2], p[1] += p[3];
            p[2] = re, p[3] = im;
        }
    }
}

} // namespace thzum
} // namespace gr
