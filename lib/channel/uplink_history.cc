/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "channel/uplink_history.h"
#include "channel/uplink_kernels.h"
#include <algorithm>
#include <cstring>

namespace gr {
namespace thzum {

namespace {

// By the exponent bits: safe under any floating-point option.
bool is_finite(float value)
{
    constexpr uint32_t exponent = 0x7f800000;
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    return (bits & exponent) != exponent;
}

uint64_t replace_bad(float* re, float* im, int count)
{
    uint32_t any_bad = 0;
    for (int i = 0; i < count; i++)
        any_bad |= !is_finite(re[i]) | !is_finite(im[i]);
    if (!any_bad)
        return 0;
    uint64_t bad = 0;
    for (int i = 0; i < count; i++)
        if (!is_finite(re[i]) || !is_finite(im[i])) {
            re[i] = im[i] = 0.0f;
            bad++;
        }
    return bad;
}

} // namespace

uplink_history::uplink_history(int users, int reach, int piece)
    : d_users(users),
      d_reach(reach),
      d_capacity(reach + std::max(2 * piece, reach)),
      d_stride(d_capacity + uplink_tile),
      d_first(reach),
      d_end(reach),
      d_re(users * d_stride),
      d_im(users * d_stride)
{
}

void uplink_history::make_room(int count)
{
    if (d_end + count <= d_capacity)
        return;
    for (auto* plane : { &d_re, &d_im })
        for (int k = 0; k < d_users; k++) {
            float* samples = plane->data() + k * d_stride;
            std::copy(samples + d_end - d_reach, samples + d_end, samples);
        }
    d_end = d_reach;
}

uint64_t uplink_history::append(const gr_complex* const* x, int count)
{
    make_room(count);
    uint64_t bad = 0;
    for (int k = 0; k < d_users; k++) {
        float* re = &d_re[k * d_stride + d_end];
        float* im = &d_im[k * d_stride + d_end];
        split(reinterpret_cast<const float*>(x[k]), re, im, count);
        bad += replace_bad(re, im, count);
    }
    d_first = d_end;
    d_end += count;
    return bad;
}

} // namespace thzum
} // namespace gr
