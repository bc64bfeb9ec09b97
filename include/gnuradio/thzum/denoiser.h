/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_DENOISER_H
#define INCLUDED_THZUM_DENOISER_H

#include <gnuradio/thzum/array_shape.h>
#include <gnuradio/thzum/dictionary.h>
#include <gnuradio/thzum/options.h>

namespace gr {
namespace thzum {

/*!
 * \brief Non-linear module of an iteration: estimate of x from r = x + white complex Gaussian
 * noise.
 *
 * x are the coefficients of all subarrays in the denoiser's dictionary, [S][k], at the scale of
 * channels with unit power per antenna (E||h||^2 = N). Allocates at construction for max_batch;
 * serves one thread.
 */
class THZUM_API denoiser
{
public:
    using sptr = std::shared_ptr<denoiser>;

    virtual ~denoiser() = default;
    virtual std::string name() const = 0;

    /*! The dictionary whose coefficients the denoiser expects. */
    virtual const dictionary::sptr& dict() const = 0;

    /*! Largest batch of one denoise() call. */
    virtual int max_batch() const = 0;

    /*! The array it was built for. */
    virtual const array_shape& shape() const = 0;

    /*!
     * \brief x_hat = D(r, variance) for \p batch items of S*k coefficients.
     * \param r noisy coefficients
     * \param variance [batch] noise variance of one complex coefficient, > 0
     * \param x_hat estimate; may not alias r
     * \param error_variance [batch] or nullptr: predicted mean-square error of one coefficient, by
     *        Stein's unbiased risk estimate or, for a network, from its measured error curve
     * \param divergence [batch] or nullptr: (1 / (S*k)) sum_i d x_i / d r_i (Wirtinger derivative),
     *        analytic or by one Monte-Carlo probe
     */
    virtual void denoise(const gr_complex* r,
                         const float* variance,
                         int batch,
                         gr_complex* x_hat,
                         float* error_variance,
                         float* divergence) = 0;

    /*! One line with every setting. */
    virtual std::string repr() const = 0;
};

/*! Denoisers by name: soft_threshold, bernoulli_gaussian, onnx. */
THZUM_API const std::vector<algorithm_info>& denoisers();

/*!
 * \brief A denoiser by name for an array.
 * \param options as denoisers() lists them; among them "dictionary" and, for "onnx", "model" (a
 * path) \param spacing element spacing in wavelengths \throws std::invalid_argument for unknown
 * names or options, or a model that does not fit the array \throws std::runtime_error for a model
 * file that is missing, damaged or has a wrong model card
 */
THZUM_API denoiser::sptr make_denoiser(const std::string& name,
                                       const array_shape& shape,
                                       const option_map& options,
                                       int max_batch,
                                       double spacing = 0.2);

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_DENOISER_H */
