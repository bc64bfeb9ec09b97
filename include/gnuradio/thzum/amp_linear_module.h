/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_AMP_LINEAR_MODULE_H
#define INCLUDED_THZUM_AMP_LINEAR_MODULE_H

#include <gnuradio/sync_block.h>
#include <gnuradio/thzum/pilot_operator.h>

namespace gr {
namespace thzum {

/*!
 * \brief Linear module of one AMP iteration, for iterations drawn as a chain of blocks.
 * \ingroup thzum
 *
 * With G = diag(s) V^H the pilots in the singular domain at columns of unit mean energy, m
 * observations and K coefficients (Donoho, Maleki and Montanari, PNAS 2009):
 *
 *     e = z - G x + (K/m) divergence e_before,     r = x + G^H e,     variance = ||e||^2 / m.
 *
 * In 0: pilots y, gr_complex vectors of op->n_observations() M. In 1 to 3, connected together from
 * the second stage on: x, the estimate of the stage before, vectors of antennas; e_before, the
 * residual of the linear module before, vectors of M; the divergence of the denoiser before, float.
 * Out 0: r, vectors of antennas. Out 1: variance, float. Out 2: e, vectors of M in the singular
 * domain, padded with zeros.
 *
 * Everything is at the scale of y, with the tag thzum_amplitude on r, as oamp_linear_estimator. A
 * chain of n pairs with an onnx_denoiser equals make_estimator("amp") with max_iterations = n and
 * tolerance = 0. Noise variance, tags and skipped items as there.
 */
class THZUM_API amp_linear_module : virtual public gr::sync_block
{
public:
    using sptr = std::shared_ptr<amp_linear_module>;

    /*!
     * \param op pilot operator; the block works on a copy of its own
     * \param dictionary the denoiser's, one of dictionary::names()
     * \param spacing element spacing in wavelengths
     * \param noise_var antenna noise variance, which only sets the scale; 0 = from the tag or the
     * pilots \throws std::invalid_argument naming the argument, what was expected and what came
     */
    static sptr make(pilot_operator::sptr op,
                     const std::string& dictionary = "dft",
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

#endif /* INCLUDED_THZUM_AMP_LINEAR_MODULE_H */
