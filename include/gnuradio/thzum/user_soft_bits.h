/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_USER_SOFT_BITS_H
#define INCLUDED_THZUM_USER_SOFT_BITS_H

#include <gnuradio/block.h>
#include <gnuradio/thzum/api.h>

namespace gr {
namespace thzum {

/*!
 * \brief Soft bits of a MIMO detector, put in order for the channel decoders of gr-fec.
 * \ingroup thzum
 *
 * In: llr, float vectors of n_users * bits, [user][bit], log P(bit=0)/P(bit=1); n_symbols
 * consecutive vectors make a block. Out: floats, for each block [user][symbol][bit], so that a
 * user's soft bits of the block stand together: a code word, or several.
 *
 * The sign is turned, because a positive soft bit of gr-fec stands for a one, and the magnitude
 * is held between 1e-4 and \p limit: the belief propagation of GNU Radio 3.10.5 divides by zero at
 * a soft bit of zero, and its likelihood ratios overflow at large ones. NaN counts as not known.
 * fec.ldpc_decoder takes the output for the log-likelihood ratios that they are when its sigma is
 * sqrt(1/2).
 *
 * Tags out: those of a block's vectors go to the first soft bit of the block, each user's first
 * soft bit has thzum_user (long).
 */
class THZUM_API user_soft_bits : virtual public gr::block
{
public:
    using sptr = std::shared_ptr<user_soft_bits>;

    /*!
     * \param n_users users, at least 1
     * \param bits per symbol, at least 1
     * \param n_symbols vectors of a block, at least 1
     * \param limit largest magnitude out, above 1e-4
     * \throws std::invalid_argument for values out of range
     */
    static sptr make(int n_users, int bits, int n_symbols, float limit = 20.0f);
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_USER_SOFT_BITS_H */
