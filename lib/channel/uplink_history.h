/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_CHANNEL_UPLINK_HISTORY_H
#define INCLUDED_THZUM_CHANNEL_UPLINK_HISTORY_H

#include "channel/sample_block.h"
#include <gnuradio/thzum/api.h>
#include <vector>

namespace gr {
namespace thzum {

/*! The latest samples of all users as planar floats, long enough for the longest delay. */
class THZUM_API uplink_history
{
public:
    /*!
     * \param users number of streams
     * \param reach samples that stay readable behind the newest one
     */
    uplink_history(int users, int reach);

    void append(sample_block& block);

    /*! The first sample of the last append(), with reach samples before it. */
    const float* re(int user) const { return &d_re[user * d_stride + d_first]; }
    const float* im(int user) const { return &d_im[user * d_stride + d_first]; }

private:
    void make_room(int count);

    int d_users;
    size_t d_reach;
    size_t d_capacity; // of a user, without the padding for the kernels
    size_t d_stride;
    size_t d_first; // of the last piece
    size_t d_end;   // behind the newest sample
    std::vector<float> d_re, d_im;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_CHANNEL_UPLINK_HISTORY_H */
