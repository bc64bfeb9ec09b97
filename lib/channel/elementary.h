/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_CHANNEL_ELEMENTARY_H
#define INCLUDED_THZUM_CHANNEL_ELEMENTARY_H

#include <cstdint>
#include <cstring>

#define THZUM_INLINE inline __attribute__((always_inline))

namespace gr {
namespace thzum {

/*!
 * \name Elementary functions that a compiler can vectorise
 *
 * Single precision, without branches or tables, for loops marked THZUM_MULTIVERSION. The
 * polynomials minimise their largest error, found by iteratively reweighted least squares.
 * \{
 */

THZUM_INLINE float as_float(int32_t bits)
{
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

THZUM_INLINE int32_t as_bits(float value)
{
    int32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}

/*! The square root. A bare call might set errno, which keeps a loop scalar; not so of |x|. */
THZUM_INLINE float root(float x) { return __builtin_sqrtf(__builtin_fabsf(x)); }

/*! log(1 + f) for sqrt(1/2) <= 1 + f <= sqrt(2), error below 4e-8 of f. */
THZUM_INLINE float log_near_one(float f)
{
    float p = 0.0891978145f;
    p = p * f - 0.143521711f;
    p = p * f + 0.148771763f;
    p = p * f - 0.165654123f;
    p = p * f + 0.199653611f;
    p = p * f - 0.250017524f;
    p = p * f + 0.333338588f;
    return f - f * f * (0.5f - f * p);
}

/*! x = 2^exponent (1 + f) with 1 + f from sqrt(1/2) to sqrt(2), for a positive normal x. */
THZUM_INLINE void split(float x, int32_t& exponent, float& f)
{
    exponent = (as_bits(x) - 0x3F3504F3) >> 23;
    f = as_float(as_bits(x) - exponent * (1 << 23)) - 1.0f;
}

/*! log2(x) for normal x > 0; -127 for 0. */
THZUM_INLINE float log2_of(float x)
{
    int32_t exponent;
    float f;
    split(x, exponent, f);
    return float(exponent) + 1.44269504f * log_near_one(f);
}

/*! 2^x for -126 <= x < 127, relative error 1e-7. */
THZUM_INLINE float exp2_of(float x)
{
    const int32_t whole = int32_t(x + (x < 0 ? -0.5f : 0.5f));
    const float f = x - float(whole);
    float p = 1.53458110e-4f;
    p = p * f + 1.33999309e-3f;
    p = p * f + 9.61848907e-3f;
    p = p * f + 5.55032864e-2f;
    p = p * f + 0.240226462f;
    p = p * f + 0.693147182f;
    p = p * f + 1.0f;
    return p * as_float((whole + 127) * (1 << 23));
}

/*! Cosine and sine of t quarter turns for |t| <= 1/2, errors below 3e-8. */
THZUM_INLINE void cos_sin_quarter(float t, float& cosine, float& sine)
{
    const float s = t * t;
    cosine = 1.0f + s * (-1.23369706f + s * (0.25359863f + s * -0.0204083528f));
    sine = t * (1.57079637f + s * (-0.64596349f + s * (0.0796802267f + s * -0.00460217707f)));
}

/*! Cosine and sine of a number of turns, which must be below 2^20 and keeps a float's precision. */
THZUM_INLINE void cos_sin_turns(float turns, float& cosine, float& sine)
{
    const float quarters = 4.0f * turns;
    const int32_t whole = int32_t(quarters + (quarters < 0 ? -0.5f : 0.5f));
    float c, s;
    cos_sin_quarter(quarters - float(whole), c, s);
    const bool odd = (whole & 1) != 0;
    const float x = odd ? s : c, y = odd ? c : s;
    cosine = ((whole + 1) & 2) != 0 ? -x : x;
    sine = (whole & 2) != 0 ? -y : y;
}

/*! \} */

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_CHANNEL_ELEMENTARY_H */
