/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/kernel_math.h"
#include "common/multiversion.h"
#include "detection/moment_matching.h"

namespace gr {
namespace thzum {

THZUM_MULTIVERSION
void match_moments(const float* r,
                   const float* v,
                   const float* mean,
                   const float* variance,
                   float new_part,
                   int n,
                   float* __restrict precision,
                   float* __restrict shift)
{
    constexpr float min_variance = 5e-7f; // Cespedes et al.
    for (int i = 0; i < n; i++) {
        const float sure = 1.0f / larger(variance[i], min_variance);
        const float known = 1.0f / v[i];
        const float part = sure > known ? new_part : 0.0f;
        precision[i] += part * (sure - known - precision[i]);
        shift[i] += part * (mean[i] * sure - r[i] * known - shift[i]);
    }
}

} // namespace thzum
} // namespace gr
