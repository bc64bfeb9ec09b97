/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_WIDEBAND_ESTIMATOR_H
#define INCLUDED_THZUM_WIDEBAND_ESTIMATOR_H

#include <gnuradio/thzum/estimator.h>

namespace gr {
namespace thzum {

/*!
 * \brief Joint channel estimator over subcarriers under beam squint.
 *
 * The same paths are seen at every subcarrier: a direction in space turns by f / f_c more from
 * element to element than at the carrier, and gains turn with the delay. The combiner is the same
 * at all subcarriers. A subcarrier whose pilots are all zero counts as not measured: newtonized_omp
 * fills it in from the delays, unless gains are free; fpn_oamp leaves it zero and then does not
 * smooth over the band. Results do not depend on a gain in front of the receiver. Allocates at
 * construction; serves one thread at a time.
 */
class THZUM_API wideband_estimator
{
public:
    using sptr = std::shared_ptr<wideband_estimator>;

    virtual ~wideband_estimator() = default;
    virtual std::string name() const = 0;
    virtual const pilot_operator::sptr& op() const = 0;

    /*! Subcarriers F. */
    virtual int subcarriers() const = 0;

    /*!
     * \brief Estimate \p batch channels over the band.
     * \param y [batch][F][M], finite
     * \param noise_var [batch] antenna noise variance of every subcarrier > 0, or nullptr to
     * estimate it from the pilots, as estimator does at each subcarrier
     * \param h_hat [batch][F][N]
     * \param report [batch]
     */
    virtual void estimate(const gr_complex* y,
                          const float* noise_var,
                          int batch,
                          gr_complex* h_hat,
                          estimate_report* report) = 0;

    /*! Options in force, as estimator::options(). */
    virtual const option_map& options() const = 0;

    /*! One line with every setting. */
    virtual std::string repr() const = 0;
};

/*!
 * Wideband estimators by name: newtonized_omp, fpn_oamp.
 *
 * They need a band: at a single subcarrier estimator "newtonized_omp" does better, since it makes
 * the gains of the subarrays coherent.
 */
THZUM_API const std::vector<algorithm_info>& wideband_estimators();

/*!
 * \brief A wideband estimator by name.
 * \param op the combiner, the same at all subcarriers
 * \param frequencies of the subcarriers in Hz, equidistant, from 1 to 1024 of them
 * \param carrier_frequency in Hz, at which the option "spacing" counts wavelengths
 * \throws std::invalid_argument for unknown names or options, frequencies that are not positive or
 * not equidistant, a band wider than the carrier, elements a wavelength or more apart at the
 * highest one
 */
THZUM_API wideband_estimator::sptr make_wideband_estimator(const std::string& name,
                                                           pilot_operator::sptr op,
                                                           const std::vector<double>& frequencies,
                                                           double carrier_frequency,
                                                           const option_map& options = {});

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_WIDEBAND_ESTIMATOR_H */
