/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "channel/elementary.h"
#include "channel/sample_block.h"
#include "common/multiversion.h"

namespace gr {
namespace thzum {

namespace {

// Tested by their bits: these loops are compiled on the promise that there is neither NaN nor
// infinity.
THZUM_MULTIVERSION
int separate(const int32_t* __restrict in, int32_t* __restrict re, int32_t* __restrict im, int n)
{
    constexpr int32_t magnitude = 0x7FFFFFFF, limit = 0x5D800000; // of 2^60
    int bad = 0;
    for (int i = 0; i < n; i++) {
        const int32_t x = in[2 * i], y = in[2 * i + 1];
        const bool good = (x & magnitude) < limit && (y & magnitude) < limit;
        re[i] = good ? x : 0;
        im[i] = good ? y : 0;
        bad += good ? 0 : 1;
    }
    return bad;
}

THZUM_MULTIVERSION
void interleave(const int32_t* __restrict re,
                const int32_t* __restrict im,
                int32_t* __restrict out,
                int n)
{
    for (int i = 0; i < n; i++) {
        out[2 * i] = re[i];
        out[2 * i + 1] = im[i];
    }
}

} // namespace

int sample_block::load(const gr_complex* const* rows, int first, int n)
{
    count = n;
    int bad = 0;
    for (int row = 0; row < d_rows; row++)
        bad += separate(reinterpret_cast<const int32_t*>(rows[row] + first),
                        reinterpret_cast<int32_t*>(re(row)),
                        reinterpret_cast<int32_t*>(im(row)),
                        n);
    return bad;
}

void sample_block::store(gr_complex* const* rows, int first)
{
    for (int row = 0; row < d_rows; row++)
        interleave(reinterpret_cast<const int32_t*>(re(row)),
                   reinterpret_cast<const int32_t*>(im(row)),
                   reinterpret_cast<int32_t*>(rows[row] + first),
                   count);
}

} // namespace thzum
} // namespace gr
