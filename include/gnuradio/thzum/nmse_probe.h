/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_NMSE_PROBE_H
#define INCLUDED_THZUM_NMSE_PROBE_H

#include <gnuradio/sync_block.h>
#include <gnuradio/thzum/api.h>

namespace gr {
namespace thzum {

/*!
 * \brief Normalised mean-square error of channel estimates against the truth.
 * \ingroup thzum
 *
 * In 0: estimate, in 1: truth, both gr_complex vectors of the same length. Out (optional): float,
 * one value per item, ||estimate - truth||^2 / ||truth||^2 in dB, not below -300 dB.
 * Tags of the estimate go on with it.
 *
 * Items without a meaningful ratio are left out of the mean and give NaN on the output: an all-zero
 * truth, NaN or Inf on either input, an estimate tagged thzum_skipped.
 *
 * Message out, port `report`: a dictionary per counted item: frame and user (if tagged), nmse_db,
 * mean_nmse_db (of the mean ratio so far) and count.
 */
class THZUM_API nmse_probe : virtual public gr::sync_block
{
public:
    using sptr = std::shared_ptr<nmse_probe>;

    /*!
     * \param vlen length of the vectors, at least 1
     * \throws std::invalid_argument for a vlen out of range
     */
    static sptr make(int vlen);

    /*! NMSE in dB: the mean of the ratios since the start or reset(); NaN before the first item. */
    virtual double nmse_db() const = 0;

    /*! Items in the mean. */
    virtual uint64_t count() const = 0;

    /*! Items left out. */
    virtual uint64_t ignored() const = 0;

    /*! Start the mean anew. */
    virtual void reset() = 0;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_NMSE_PROBE_H */
