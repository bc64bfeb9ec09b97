/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_COMMON_QA_ALLOCATIONS_H
#define INCLUDED_THZUM_COMMON_QA_ALLOCATIONS_H

#include <atomic>
#include <cstdlib>
#include <new>

/*!
 * Counts what operator new is asked for in the whole program, library included. It replaces the
 * operator, so one source file of a test may include this.
 */
namespace {
std::atomic<long> allocations{ 0 };
}

void* operator new(size_t size)
{
    ++allocations;
    if (void* memory = std::malloc(size))
        return memory;
    throw std::bad_alloc();
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

#endif /* INCLUDED_THZUM_COMMON_QA_ALLOCATIONS_H */
