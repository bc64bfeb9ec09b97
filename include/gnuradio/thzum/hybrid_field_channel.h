/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_HYBRID_FIELD_CHANNEL_H
#define INCLUDED_THZUM_HYBRID_FIELD_CHANNEL_H

#include <gnuradio/sync_block.h>
#include <gnuradio/thzum/api.h>
#include <gnuradio/thzum/hybrid_field_model.h>
#include <gnuradio/thzum/pilot_operator.h>
#include <cstdint>

namespace gr {
namespace thzum {

/*!
 * \brief Source of simulated pilot observations and the channels behind them.
 * \ingroup thzum
 *
 * Every item is a fresh channel h of a hybrid_field_model, ||h||^2 = N, seen through the pilot
 * operator: y = A h + noise. The noise follows the operator's noise model: white with variance
 * noise_var * ||c||^2 in each slot ("per_slot"), or one antenna-noise vector through the combiner
 * ("common"); noise_var = 10^(-snr_db / 10).
 *
 * Outputs: \p y, vectors of M; \p h, vectors of N (may stay unconnected). Tags on every item of
 * both: \p thzum_frame (long, the item's number), \p thzum_user (long, 0), \p thzum_noise_var
 * (double). Message port \p control: a dictionary with snr_db (number).
 */
class THZUM_API hybrid_field_channel : virtual public gr::sync_block
{
public:
    using sptr = std::shared_ptr<hybrid_field_channel>;

    /*!
     * \param op pilot operator
     * \param parameters array and path statistics; the array shape must be the operator's, or
     * that of its antennas as subarrays of one element, for waves that are exact at every element
     * \param snr_db signal-to-noise ratio at an antenna, E|h_n|^2 / noise_var, in dB
     * \param seed same seed, same items
     * \param n_items items until the source is done; 0 for an endless source
     * \throws std::invalid_argument naming the argument, what was expected and what came
     */
    static sptr make(pilot_operator::sptr op,
                     const hybrid_field_parameters& parameters,
                     double snr_db,
                     uint64_t seed = 0,
                     uint64_t n_items = 0);

    /*! \throws std::invalid_argument outside -200 .. 200 or NaN; the value before stays */
    virtual void set_snr_db(double snr_db) = 0;
    virtual double snr_db() const = 0;

    /*! Items put out. */
    virtual uint64_t items() const = 0;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_HYBRID_FIELD_CHANNEL_H */
