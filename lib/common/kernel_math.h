/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_COMMON_KERNEL_MATH_H
#define INCLUDED_THZUM_COMMON_KERNEL_MATH_H

#include <cstdint>

namespace gr {
namespace thzum {

// std::max and std::min are not inlined into kernels compiled with other options than theirs.
inline __attribute__((always_inline)) float larger(float a, float b) { return a > b ? a : b; }
inline __attribute__((always_inline)) float smaller(float a, float b) { return a < b ? a : b; }

/*!
 * 2^x for x <= 0, to a relative error below 1e-7; below -120 it stays at 2^-120. Plain enough for
 * the compiler to vectorise in a kernel that calls it: x = k + f, 2^f by its Taylor series on
 * |f| <= 1/2.
 */
inline __attribute__((always_inline)) float exp2_nonpositive(float x)
{
    x = larger(x, -120.0f);
    const int k = static_cast<int>(x - 0.5f);
    const float f = (x - static_cast<float>(k)) * 0.693147181f;
    const float tail = 1.0f / 6 + f * (1.0f / 24 + f * (1.0f / 120 + f * (1.0f / 720)));
    const float mantissa = 1.0f + f * (1.0f + f * (0.5f + f * tail));
    union {
        int32_t bits;
        float value;
    } power;
    power.bits = (k + 127) << 23;
    return mantissa * power.value;
}

/*!
 * Natural logarithm of a normal x > 0, to an absolute error below 3e-7 for |log x| < 20. As plain:
 * x = 2^k m, log m by its series in (m - 1) / (m + 1) for m between sqrt(1/2) and sqrt(2).
 */
inline __attribute__((always_inline)) float log_positive(float x)
{
    union {
        float value;
        int32_t bits;
    } parts;
    parts.value = x;
    const int32_t k = (parts.bits - 0x3f3504f3) >> 23;
    parts.bits -= k * 0x800000;
    const float t = (parts.value - 1.0f) / (parts.value + 1.0f);
    const float u = t * t;
    const float tail = 1.0f / 3 + u * (1.0f / 5 + u * (1.0f / 7 + u * (1.0f / 9)));
    return static_cast<float>(k) * 0.693147181f + 2.0f * t * (1.0f + u * tail);
}

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_COMMON_KERNEL_MATH_H */
