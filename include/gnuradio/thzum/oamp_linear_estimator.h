/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_OAMP_LINEAR_ESTIMATOR_H
#define INCLUDED_THZUM_OAMP_LINEAR_ESTIMATOR_H

#include <gnuradio/sync_block.h>
#include <gnuradio/thzum/pilot_operator.h>

namespace gr {
namespace thzum {

/*!
 * \brief Linear module of one OAMP iteration, for iterations drawn as a chain of blocks.
 * \ingroup thzum
 *
 * In 0: pilots y, gr_complex vectors of op->n_observations(). In 1 (not connected in the first
 * stage): the estimate x of the stage before, gr_complex vectors of op->shape().antennas(). Out 0:
 * r = x + noise that is uncorrelated with the error of x, vectors of antennas. Out 1: float, its
 * variance per coefficient of the dictionary.
 *
 * Everything is at the scale of y. Inside, y is scaled to unit channel power just as the estimators
 * do; the amplitude found travels with r as the tag thzum_amplitude, so that the denoiser after it
 * works at that scale too. A chain of n pairs of this block and an onnx_denoiser with the same
 * dictionary equals make_estimator("fpn_oamp") with max_iterations = n, tolerance = 0 and a start
 * at zero (Ma and Ping, IEEE Access 2017, for the linear module).
 *
 * The noise variance is \p noise_var, else the tag thzum_noise_var of y, else estimated from y.
 * Tags of y go on with r. An item of y that cannot be used (NaN, Inf, all zero, unusable noise
 * variance) and an estimate with NaN or Inf give zeros with the tag thzum_skipped.
 */
class THZUM_API oamp_linear_estimator : virtual public gr::sync_block
{
public:
    using sptr = std::shared_ptr<oamp_linear_estimator>;

    /*!
     * \param op pilot operator; the block works on a copy of its own
     * \param linear "lmmse", "matched" (filter) or "pinv" (pseudo-inverse)
     * \param dictionary the denoiser's, one of dictionary::names()
     * \param spacing element spacing in wavelengths
     * \param noise_var antenna noise variance; 0 = from the tag or the pilots
     * \throws std::invalid_argument naming the argument, what was expected and what came
     */
    static sptr make(pilot_operator::sptr op,
                     const std::string& linear = "lmmse",
                     const std::string& dictionary = "visible_region",
                     double spacing = 0.2,
                     double noise_var = 0.0);

    /*! \param noise_var antenna noise variance; 0 = from the tag or the pilots
     * \throws std::invalid_argument when negative or not finite */
    virtual void set_noise_var(double noise_var) = 0;
    virtual double noise_var() const = 0;

    /*! Items processed so far. */
    virtual uint64_t processed() const = 0;

    /*! Items skipped so far. */
    virtual uint64_t skipped() const = 0;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_OAMP_LINEAR_ESTIMATOR_H */
