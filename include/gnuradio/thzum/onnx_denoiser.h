/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ONNX_DENOISER_H
#define INCLUDED_THZUM_ONNX_DENOISER_H

#include <gnuradio/sync_block.h>
#include <gnuradio/thzum/array_shape.h>
#include <gnuradio/thzum/options.h>
#include <memory>

namespace gr {
namespace thzum {

/*!
 * \brief Non-linear module of one iteration: a trained network, or any other denoiser.
 * \ingroup thzum
 *
 * In 0: r = x + white noise, gr_complex vectors of antennas. In 1: float, the noise variance per
 * coefficient. Out 0: x_hat, vectors of antennas. Out 1 (optional): float, the divergence of the
 * denoiser, which the Onsager term of amp_linear_module needs.
 *
 * Denoisers work at unit channel power: the tag thzum_amplitude on r says what amplitude per
 * antenna that is (1 where there is none). Tags of r go on with x_hat. An item with NaN or Inf, all
 * zero, or with an unusable variance gives zeros with the tag thzum_skipped.
 */
class THZUM_API onnx_denoiser : virtual public gr::sync_block
{
public:
    using sptr = std::shared_ptr<onnx_denoiser>;

    /*!
     * \param shape the array
     * \param denoiser one of denoisers()
     * \param options of the denoiser, such as "model" (a path)
     * \param spacing element spacing in wavelengths
     * \param divergence_free (D(r) - alpha r) / (1 - alpha) instead of D(r), alpha the divergence:
     * what OAMP hands to its next linear module; leave it off in the last stage \throws
     * std::invalid_argument for unknown names or options, std::runtime_error for a model file that
     *         cannot be used
     */
    static sptr make(const array_shape& shape,
                     const std::string& denoiser = "onnx",
                     const option_map& options = {},
                     double spacing = 0.2,
                     bool divergence_free = false);

    /*! Settings in one line. */
    virtual std::string settings() const = 0;

    /*! Items processed so far. */
    virtual uint64_t processed() const = 0;

    /*! Items skipped so far. */
    virtual uint64_t skipped() const = 0;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ONNX_DENOISER_H */
