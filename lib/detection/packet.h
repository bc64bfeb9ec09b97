/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_DETECTION_PACKET_H
#define INCLUDED_THZUM_DETECTION_PACKET_H

namespace gr {
namespace thzum {

/*! Floats that real arrays of the detectors are padded to: one AVX-512 register. */
constexpr int lanes = 16;

/*! Smallest multiple of lanes that holds \p n. */
constexpr int padded(int n) { return (n + lanes - 1) / lanes * lanes; }

/*! A register's worth of floats at any address, in as many registers as the processor needs for
 * it. Keeps the sums of a product in registers, where the compiler leaves arrays in memory. */
typedef float packet __attribute__((vector_size(lanes * sizeof(float)), aligned(4), may_alias));

inline __attribute__((always_inline)) const packet& packet_at(const float* p)
{
    return *reinterpret_cast<const packet*>(p);
}

inline __attribute__((always_inline)) packet& packet_at(float* p)
{
    return *reinterpret_cast<packet*>(p);
}

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_DETECTION_PACKET_H */
