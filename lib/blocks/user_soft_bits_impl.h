/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_USER_SOFT_BITS_IMPL_H
#define INCLUDED_THZUM_USER_SOFT_BITS_IMPL_H

#include <gnuradio/thzum/user_soft_bits.h>

namespace gr {
namespace thzum {

class user_soft_bits_impl : public user_soft_bits
{
public:
    user_soft_bits_impl(int n_users, int bits, int n_symbols, float limit);

    void forecast(int noutput_items, gr_vector_int& ninput_items_required) override;
    int general_work(int noutput_items,
                     gr_vector_int& ninput_items,
                     gr_vector_const_void_star& input_items,
                     gr_vector_void_star& output_items) override;

private:
    void reorder(const float* llr, float* soft_bits) const;
    void tag_block(int block);

    const int d_n_users;
    const int d_bits;
    const int d_n_symbols;
    const int d_block_size; /*!< soft bits of a block */
    const float d_limit;
    std::vector<tag_t> d_tags;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_USER_SOFT_BITS_IMPL_H */
