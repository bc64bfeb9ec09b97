/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "block_arguments.h"
#include "frame_tags.h"
#include "user_soft_bits_impl.h"
#include <gnuradio/io_signature.h>
#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

constexpr float smallest_magnitude = 1e-4f;

float checked_limit(float limit)
{
    if (!(limit > smallest_magnitude) || !std::isfinite(limit))
        throw std::invalid_argument(
            "user_soft_bits: limit expects a finite number above 1e-4, got " +
            std::to_string(limit));
    return limit;
}

float soft_bit(float llr, float limit)
{
    const float magnitude = std::isnan(llr) ? 0.0f : std::min(std::abs(llr), limit);
    return std::copysign(std::max(magnitude, smallest_magnitude), -llr);
}

} // namespace

user_soft_bits::sptr user_soft_bits::make(int n_users, int bits, int n_symbols, float limit)
{
    return gnuradio::make_block_sptr<user_soft_bits_impl>(
        at_least_one("user_soft_bits", "n_users", n_users),
        at_least_one("user_soft_bits", "bits", bits),
        at_least_one("user_soft_bits", "n_symbols", n_symbols),
        checked_limit(limit));
}

user_soft_bits_impl::user_soft_bits_impl(int n_users, int bits, int n_symbols, float limit)
    : gr::block("user_soft_bits",
                gr::io_signature::make(1, 1, n_users * bits * sizeof(float)),
                gr::io_signature::make(1, 1, sizeof(float))),
      d_n_users(n_users),
      d_bits(bits),
      d_n_symbols(n_symbols),
      d_block_size(n_users * n_symbols * bits),
      d_limit(limit)
{
    set_tag_propagation_policy(TPP_DONT);
    set_relative_rate(static_cast<uint64_t>(n_users) * bits, 1);
    set_output_multiple(d_block_size);
}

void user_soft_bits_impl::forecast(int noutput_items, gr_vector_int& ninput_items_required)
{
    ninput_items_required[0] = noutput_items / d_block_size * d_n_symbols;
}

int user_soft_bits_impl::general_work(int noutput_items,
                                      gr_vector_int& ninput_items,
                                      gr_vector_const_void_star& input_items,
                                      gr_vector_void_star& output_items)
{
    const auto* llr = static_cast<const float*>(input_items[0]);
    auto* soft_bits = static_cast<float*>(output_items[0]);
    const int blocks = std::min(noutput_items / d_block_size, ninput_items[0] / d_n_symbols);
    for (int block = 0; block < blocks; block++) {
        reorder(llr + static_cast<size_t>(block) * d_block_size,
                soft_bits + static_cast<size_t>(block) * d_block_size);
        tag_block(block);
    }
    consume_each(blocks * d_n_symbols);
    return blocks * d_block_size;
}

void user_soft_bits_impl::reorder(const float* llr, float* soft_bits) const
{
    for (int user = 0; user < d_n_users; user++)
        for (int symbol = 0; symbol < d_n_symbols; symbol++) {
            const float* from = llr + (static_cast<size_t>(symbol) * d_n_users + user) * d_bits;
            for (int bit = 0; bit < d_bits; bit++)
                *soft_bits++ = soft_bit(from[bit], d_limit);
        }
}

void user_soft_bits_impl::tag_block(int block)
{
    const int first = block * d_n_symbols;
    const uint64_t offset = nitems_written(0) + static_cast<uint64_t>(block) * d_block_size;
    get_tags_in_window(d_tags, 0, first, first + d_n_symbols);
    for (const auto& tag : d_tags)
        add_item_tag(0, offset, tag.key, tag.value);
    for (int user = 0; user < d_n_users; user++)
        add_item_tag(0,
                     offset + static_cast<uint64_t>(user) * d_n_symbols * d_bits,
                     tags::user(),
                     pmt::from_long(user));
}

} // namespace thzum
} // namespace gr
