/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_BLOCK_ERROR_PROBE_H
#define INCLUDED_THZUM_BLOCK_ERROR_PROBE_H

#include <gnuradio/sync_block.h>
#include <gnuradio/thzum/api.h>
#include <vector>

namespace gr {
namespace thzum {

/*!
 * \brief Compares decoded with sent bits and counts wrong blocks and bits.
 * \ingroup thzum
 *
 * In 0: decoded bits, in 1: sent bits, one per byte. Each \p block_size of them are a block, such
 * as the information bits of a code word; blocks belong to users 0 … n_users-1 in turn.
 *
 * Message out, port `report`: every \p report_interval blocks a dictionary with bler (wrong
 * blocks over blocks), ber (wrong bits over bits), user_bler (f64vector, NaN where nothing was
 * counted), block_errors, bit_errors and count (blocks), totals since the start or reset().
 */
class THZUM_API block_error_probe : virtual public gr::sync_block
{
public:
    using sptr = std::shared_ptr<block_error_probe>;

    /*!
     * \param block_size bits of a block, at least 1
     * \param n_users whose blocks take turns, at least 1
     * \param report_interval blocks between reports, at least 1
     * \throws std::invalid_argument for values out of range
     */
    static sptr make(int block_size, int n_users = 1, int report_interval = 100);

    /*! Wrong blocks over blocks; NaN before the first. */
    virtual double bler() const = 0;

    /*! Wrong bits over bits; NaN before the first block. */
    virtual double ber() const = 0;

    /*! [n_users] block error rates; NaN where nothing was counted. */
    virtual std::vector<double> user_bler() const = 0;

    /*! Wrong blocks. */
    virtual uint64_t block_errors() const = 0;

    /*! Wrong bits. */
    virtual uint64_t bit_errors() const = 0;

    /*! Blocks compared. */
    virtual uint64_t count() const = 0;

    /*! Start counting anew; the next block is still that of the next user. */
    virtual void reset() = 0;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_BLOCK_ERROR_PROBE_H */
