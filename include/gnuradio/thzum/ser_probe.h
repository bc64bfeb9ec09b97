/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_SER_PROBE_H
#define INCLUDED_THZUM_SER_PROBE_H

#include <gnuradio/sync_block.h>
#include <gnuradio/thzum/api.h>
#include <vector>

namespace gr {
namespace thzum {

/*!
 * \brief Running symbol error rate per user.
 * \ingroup thzum
 *
 * In 0: detected symbols, in 1: true symbols, both int32 vectors of n_users. Pairs in which either
 * is negative (absent or skipped) are left out.
 *
 * Out (may stay unconnected): one float per item, the symbol error rate over the last \p window
 * items; 0 where nothing was counted.
 *
 * Message out, port `report`: every \p report_interval items a dictionary with ser (over all
 * users), user_ser (f64vector, NaN where nothing was counted), errors and count (totals since the
 * start or reset()).
 */
class THZUM_API ser_probe : virtual public gr::sync_block
{
public:
    using sptr = std::shared_ptr<ser_probe>;

    /*!
     * \param n_users length of the vectors, at least 1
     * \param report_interval items between reports, at least 1
     * \param window items that the output looks back on, at least 1
     * \throws std::invalid_argument for values out of range
     */
    static sptr make(int n_users, int report_interval = 1000, int window = 1000);

    /*! Symbol error rate over all users; NaN before the first pair. */
    virtual double ser() const = 0;

    /*! [n_users] symbol error rates; NaN where nothing was counted. */
    virtual std::vector<double> user_ser() const = 0;

    /*! Wrong symbols. */
    virtual uint64_t errors() const = 0;

    /*! Symbols compared. */
    virtual uint64_t count() const = 0;

    /*! Start counting anew. */
    virtual void reset() = 0;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_SER_PROBE_H */
