/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_COMMON_WIDE_FLOATS_H
#define INCLUDED_THZUM_COMMON_WIDE_FLOATS_H

namespace gr {
namespace thzum {

/*!
 * Sixteen floats that a kernel keeps in registers, whatever their width on the processor: the
 * compiler splits them up for each level of THZUM_MULTIVERSION. For sums that it would otherwise
 * leave in memory. Only for values inside a kernel.
 */
typedef float wide_floats __attribute__((vector_size(64), aligned(4), may_alias));
constexpr int wide_count = 16;

inline __attribute__((always_inline)) const wide_floats& wide_at(const float* x)
{
    return *reinterpret_cast<const wide_floats*>(x);
}

inline __attribute__((always_inline)) wide_floats& wide_at(float* x)
{
    return *reinterpret_cast<wide_floats*>(x);
}

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_COMMON_WIDE_FLOATS_H */
