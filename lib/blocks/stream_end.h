/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_BLOCKS_STREAM_END_H
#define INCLUDED_THZUM_BLOCKS_STREAM_END_H

#include <gnuradio/block.h>
#include <gnuradio/block_detail.h>
#include <gnuradio/buffer.h>
#include <gnuradio/buffer_reader.h>

namespace gr {
namespace thzum {

/*!
 * \brief Whether the block in front of an input has finished and left no items beyond the first \p
 * known.
 *
 * The scheduler calls general_work() of a block whose input has finished only when forecast() asks
 * for no more than is there, so that both need to look.
 */
inline bool has_ended(const gr::block& block, int input, int known)
{
    const auto reader = block.detail()->input(input);
    gr::thread::scoped_lock guard(*reader->mutex());
    return reader->done() && reader->items_available() <= known;
}

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_BLOCKS_STREAM_END_H */
