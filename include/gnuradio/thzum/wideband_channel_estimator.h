/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_WIDEBAND_CHANNEL_ESTIMATOR_H
#define INCLUDED_THZUM_WIDEBAND_CHANNEL_ESTIMATOR_H

#include <gnuradio/sync_block.h>
#include <gnuradio/thzum/wideband_estimator.h>

namespace gr {
namespace thzum {

/*!
 * \brief Channel estimator block over a band: the pilots of all subcarriers in, their channels out.
 * \ingroup thzum
 *
 * In: pilots [F][M] of one channel, gr_complex vectors of F * op->n_observations(). Out: h_hat
 * [F][N], gr_complex vectors of F * op->shape().antennas(). The subcarriers are estimated together,
 * see wideband_estimator.
 *
 * Noise variance, tags, skipped items and the message port `report` are those of channel_estimator;
 * iterations are what wideband_estimator says. Message in, port `control`: a dictionary with any of
 * algorithm (symbol), options (dictionary) and noise_var (number, 0 = from tags).
 */
class THZUM_API wideband_channel_estimator : virtual public gr::sync_block
{
public:
    using sptr = std::shared_ptr<wideband_channel_estimator>;

    /*!
     * \param op pilot operator of every subcarrier; the block works on a copy of its own
     * \param frequencies,carrier_frequency as for make_wideband_estimator()
     * \param algorithm one of wideband_estimators()
     * \param options of the algorithm, as wideband_estimators() lists them
     * \param noise_var antenna noise variance; 0 = from the tag thzum_noise_var or the pilots
     * \param array_options "spacing" and "subarray_centres", for algorithms that take them
     * \throws std::invalid_argument for what does not fit, naming it
     */
    static sptr make(pilot_operator::sptr op,
                     const std::vector<double>& frequencies,
                     double carrier_frequency,
                     const std::string& algorithm = "newtonized_omp",
                     const option_map& options = {},
                     double noise_var = 0.0,
                     const option_map& array_options = {});

    /*!
     * \brief Change the algorithm while running.
     *
     * The new one is built in the calling thread; the two change places between two items.
     * \throws std::invalid_argument for unknown names or options; the old one then stays
     */
    virtual void set_algorithm(const std::string& name, const option_map& options = {}) = 0;

    /*! \param noise_var antenna noise variance; 0 = from the tag or the pilots
     * \throws std::invalid_argument when negative or not finite */
    virtual void set_noise_var(double noise_var) = 0;

    /*! Name of the present algorithm. */
    virtual std::string algorithm() const = 0;

    /*! Settings of the present algorithm in one line. */
    virtual std::string settings() const = 0;

    virtual double noise_var() const = 0;

    /*! Items estimated so far. */
    virtual uint64_t estimates() const = 0;

    /*! Items skipped so far. */
    virtual uint64_t skipped() const = 0;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_WIDEBAND_CHANNEL_ESTIMATOR_H */
