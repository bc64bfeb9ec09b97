/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_SYNC_QA_USER_FRAMES_H
#define INCLUDED_THZUM_SYNC_QA_USER_FRAMES_H

#include <gnuradio/thzum/air_frame.h>
#include <cmath>

namespace gr {
namespace thzum {

/*! A frame of 64 slots and 128 data symbols for users with the rows of a DFT as pilots. */
inline air_frame::sptr frame_of_users(int users)
{
    air_frame_parameters p{};
    p.n_noise = 32;
    p.n_slots = 64;
    p.n_users = users;
    p.n_data = 128;
    for (int k = 0; k < users; k++)
        for (int i = 0; i < users; i++)
            p.sequences.push_back(gr_complex(std::polar(1.0, -2 * M_PI * k * i / users)));
    return air_frame::make(p);
}

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_SYNC_QA_USER_FRAMES_H */
