/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_TRACKING_ESTIMATOR_H
#define INCLUDED_THZUM_TRACKING_ESTIMATOR_H

#include <gnuradio/thzum/estimator.h>

namespace gr {
namespace thzum {

/*!
 * \brief Warm start of an estimator from frame to frame, for several streams (users) at once.
 *
 * Each stream's estimate starts from where that of its last frame ended: newtonized_omp from its
 * paths, which are refined, dropped below the threshold and joined by new ones, with a cold start
 * every sixteenth frame; fpn_oamp and oamp from their fixed point. Other estimators run as they
 * are. estimate_report::steps and steps_saved tell the work and what the warm start has saved of
 * it. Allocates at construction; serves one thread at a time.
 */
class THZUM_API tracking_estimator
{
public:
    using sptr = std::shared_ptr<tracking_estimator>;

    /*!
     * \param estimator to run; must not be used elsewhere meanwhile
     * \param streams 1 to 65536
     * \throws std::invalid_argument for none or a number out of range
     */
    static sptr make(estimator::sptr estimator, int streams);

    virtual ~tracking_estimator() = default;
    virtual const estimator::sptr& inner() const = 0;
    virtual int streams() const = 0;

    /*!
     * \brief Estimate \p batch items, in order of time.
     * \param stream [batch] from 0 to streams() - 1; others are estimated without tracking
     *
     * A stream may occur several times: its frames then follow each other. Other arguments and
     * errors are those of estimator::estimate().
     */
    virtual void estimate(const gr_complex* y,
                          const float* noise_var,
                          const int* stream,
                          int batch,
                          gr_complex* h_hat,
                          estimate_report* report) = 0;

    /*! Forget a stream. \throws std::invalid_argument if there is no such */
    virtual void reset(int stream) = 0;

    /*! Forget all streams. */
    virtual void reset() = 0;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_TRACKING_ESTIMATOR_H */
