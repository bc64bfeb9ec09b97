/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_DENOISING_DENOISER_BASE_H
#define INCLUDED_THZUM_DENOISING_DENOISER_BASE_H

#include "denoising/registry.h"

namespace gr {
namespace thzum {

/*! What all denoisers share: dictionary, array, batch and the check of the batch. */
class denoiser_base : public denoiser
{
public:
    denoiser_base(const std::string& name,
                  const denoiser_settings& settings,
                  dictionary::sptr dict);

    std::string name() const override { return d_name; }
    const dictionary::sptr& dict() const override { return d_dict; }
    int max_batch() const override { return d_settings.max_batch; }
    const array_shape& shape() const override { return d_settings.shape; }

protected:
    /*! Coefficients S * k of one item. */
    int item_size() const { return d_settings.shape.n_subarrays * d_dict->coefficients(); }

    /*! \throws std::invalid_argument unless 1 <= batch <= max_batch() and variances are positive */
    void check(const float* variance, int batch) const;

    /*! "name(4x16x16, dictionary=dft", to be continued. */
    std::string repr_head() const;

private:
    std::string d_name;
    denoiser_settings d_settings;
    dictionary::sptr d_dict;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_DENOISING_DENOISER_BASE_H */
