/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_SYNC_FRAME_SHAPER_H
#define INCLUDED_THZUM_SYNC_FRAME_SHAPER_H

#include "sync/pulse.h"
#include <gnuradio/thzum/air_frame.h>
#include <vector>

namespace gr {
namespace thzum {

/*! Data symbols to the samples of a user's frame. */
class THZUM_API frame_shaper
{
public:
    explicit frame_shaper(air_frame::sptr frame);

    /*!
     * \param data [n_data]
     * \param samples [n_samples]
     */
    void shape(int user, const gr_complex* data, gr_complex* samples);

private:
    air_frame::sptr d_frame;
    pulse_bank d_pulse;
    std::vector<std::vector<gr_complex>> d_known; // [K][n_symbols]
    std::vector<gr_complex> d_symbols;            // [n_symbols]
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_SYNC_FRAME_SHAPER_H */
