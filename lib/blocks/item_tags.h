/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_BLOCKS_ITEM_TAGS_H
#define INCLUDED_THZUM_BLOCKS_ITEM_TAGS_H

#include "control_message.h"
#include "frame_tags.h"
#include <gnuradio/tags.h>

namespace gr {
namespace thzum {

/*! What the tags of one item say. */
struct item_tags {
    pmt::pmt_t frame;           /*!< null if there is none */
    pmt::pmt_t user;            /*!< null if there is none */
    pmt::pmt_t skipped;         /*!< reason; null if the item is whole */
    bool has_noise_var = false; /*!< there is one, good or bad */
    double noise_var = 0.0;     /*!< 0 where the tag holds no number */
    double amplitude = 0.0;     /*!< 0 where there is none or it holds no number */

    void read(const tag_t& tag)
    {
        if (tag.key == tags::frame()) {
            frame = tag.value;
        } else if (tag.key == tags::user()) {
            user = tag.value;
        } else if (tag.key == tags::skipped()) {
            skipped = tag.value;
        } else if (tag.key == tags::noise_var()) {
            has_noise_var = true;
            noise_var = number(tag.value);
        } else if (tag.key == tags::amplitude()) {
            amplitude = number(tag.value);
        }
    }

private:
    static double number(const pmt::pmt_t& value)
    {
        return is_real_number(value) ? pmt::to_double(value) : 0.0;
    }
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_BLOCKS_ITEM_TAGS_H */
