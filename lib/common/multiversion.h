/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_COMMON_MULTIVERSION_H
#define INCLUDED_THZUM_COMMON_MULTIVERSION_H

/*!
 * Compiles a kernel for several x86-64 levels and picks one when the library is loaded, so that a
 * package built anywhere is fast everywhere. Kernels marked so must be plain loops that the
 * compiler vectorises; sanitizers do not support the run-time resolver.
 */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__)
#define THZUM_MULTIVERSION                                                       \
    __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"), \
                   optimize("O3,fast-math")))
/*! The same for kernels whose results must not depend on how the compiler arranges a loop: sums
 * keep their order, and products are fused into them where the processor can. */
#define THZUM_MULTIVERSION_ORDERED                                               \
    __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"), \
                   optimize("O3,no-math-errno,no-trapping-math,fp-contract=fast")))
#else
#define THZUM_MULTIVERSION
#define THZUM_MULTIVERSION_ORDERED
#endif

#endif /* INCLUDED_THZUM_COMMON_MULTIVERSION_H */
