/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "channel/uplink_history.h"
#include "channel/uplink_kernels.h"
#include <algorithm>

namespace gr {
namespace thzum {

uplink_history::uplink_history(int users, int reach)
    : d_users(users),
      d_reach(reach),
      d_capacity(reach + std::max(16 * sample_block::capacity, reach)),
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

void uplink_history::append(sample_block& block)
{
    make_room(block.count);
    for (int k = 0; k < d_users; k++) {
        std::copy_n(block.re(k), block.count, &d_re[k * d_stride + d_end]);
        std::copy_n(block.im(k), block.count, &d_im[k * d_stride + d_end]);
    }
    d_first = d_end;
    d_end += block.count;
}

} // namespace thzum
} // namespace gr
