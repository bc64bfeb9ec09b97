/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_RF_IMPAIRMENTS_H
#define INCLUDED_THZUM_RF_IMPAIRMENTS_H

#include <gnuradio/block.h>
#include <gnuradio/thzum/api.h>
#include <gnuradio/thzum/options.h>
#include <cstdint>

namespace gr {
namespace thzum {

/*! Options of the block rf_impairments, with defaults, units and ranges. */
THZUM_API const algorithm_info& rf_impairments_info();

/*!
 * \brief The hardware of a sub-terahertz receiver: what its RF chains do to their samples.
 * \ingroup thzum
 *
 * In and out: \p n_chains complex streams, the samples of the RF chains with the antenna noise in
 * them. In this order, each if its option is true: low_noise_amplifier (Rapp), frequency_offset,
 * phase_noise (one oscillator per chain or a shared one), iq_imbalance, sampling_offset, adc. The
 * models, their parameters and, for a seed, the numbers are those of the Python class
 * gnuradio.thzum.channel.hardware.Hardware, in single precision.
 *
 * A sampling offset changes the number of samples and holds 24 of them back. Tags keep their
 * sample; with a sampling offset they move to the output at or next after it.
 *
 * A sample that is NaN, infinite or beyond 2^60 becomes zero and is counted; a message on the port
 * \p report, a dictionary with replaced (the count so far), says so. Message port \p control: a
 * dictionary of options and new values; a malformed one is logged and dropped.
 */
class THZUM_API rf_impairments : virtual public gr::block
{
public:
    using sptr = std::shared_ptr<rf_impairments>;

    /*!
     * \param n_chains number of RF chains, 1 to 64
     * \param sample_rate in Hz
     * \param options as rf_impairments_info() lists them
     * \throws std::invalid_argument for unknown options or values out of range
     */
    static sptr make(int n_chains, double sample_rate, const option_map& options = {});

    /*!
     * \brief Change options while running; those not given keep their values.
     *
     * Sampling offset, the phase of the frequency offset, and the phase noise's k3, flicker_low,
     * shared and seed cannot change. \throws std::invalid_argument for these, unknown options or
     * values out of range; then nothing changes
     */
    virtual void set_options(const option_map& options) = 0;

    /*! Every option in force. */
    virtual option_map options() const = 0;

    /*! Samples, over all chains, that were not finite and became zero. */
    virtual uint64_t replaced() const = 0;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_RF_IMPAIRMENTS_H */
