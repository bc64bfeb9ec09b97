/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "sync/frame_shaper.h"
#include <algorithm>

namespace gr {
namespace thzum {

frame_shaper::frame_shaper(air_frame::sptr frame)
    : d_frame(frame),
      d_pulse(frame->parameters().rolloff,
              frame->parameters().span,
              frame->parameters().samples_per_symbol),
      d_known(frame->parameters().n_users, std::vector<gr_complex>(frame->n_symbols())),
      d_symbols(frame->n_symbols())
{
    for (int k = 0; k < frame->parameters().n_users; k++)
        frame->put_known_symbols(k, d_known[k].data());
}

void frame_shaper::shape(int user, const gr_complex* data, gr_complex* samples)
{
    d_symbols = d_known[user];
    for (int i = 0; i < d_frame->parameters().n_data; i++)
        d_symbols[d_frame->data_symbol(i)] = data[i];
    std::fill_n(samples, d_frame->n_samples(), gr_complex(0));
    const int step = d_frame->parameters().samples_per_symbol, reach = d_pulse.reach();
    const float* taps = d_pulse.taps(0);
    for (int m = 0; m < d_frame->n_symbols(); m++) {
        if (d_symbols[m] == gr_complex(0))
            continue;
        const int first = std::max(m * step - reach, 0);
        const int last = std::min(m * step + reach, d_frame->n_samples() - 1);
        for (int n = first; n <= last; n++)
            samples[n] += taps[n - m * step + reach] * d_symbols[m];
    }
}

} // namespace thzum
} // namespace gr
