/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_COMMON_PACKET_H
#define INCLUDED_THZUM_COMMON_PACKET_H

namespace gr {
namespace thzum {

/*! Numbers of an AVX-512 register, to which arrays of kernels are padded. */
constexpr int lanes = 16;
constexpr int double_lanes = 8;

/*! Smallest multiple of lanes that holds \p n. */
constexpr int padded(int n) { return (n + lanes - 1) / lanes * lanes; }

/*! A register's worth of numbers at any address, in as many registers as the processor needs for
 * it at each level of THZUM_MULTIVERSION. Keeps the sums of a product in registers, where the
 * compiler leaves arrays in memory. Only for values inside a kernel. */
typedef float packet __attribute__((vector_size(lanes * sizeof(float)), aligned(4), may_alias));
typedef double double_packet
    __attribute__((vector_size(double_lanes * sizeof(double)), aligned(8), may_alias));

inline __attribute__((always_inline)) const packet& packet_at(const float* p)
{
    return *reinterpret_cast<const packet*>(p);
}

inline __attribute__((always_inline)) packet& packet_at(float* p)
{
    return *reinterpret_cast<packet*>(p);
}

inline __attribute__((always_inline)) const double_packet& packet_at(const double* p)
{
    return *reinterpret_cast<const double_packet*>(p);
}

inline __attribute__((always_inline)) double_packet& packet_at(double* p)
{
    return *reinterpret_cast<double_packet*>(p);
}

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_COMMON_PACKET_H */
