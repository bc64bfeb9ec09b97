/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_DENOISING_DENOISER_CARD_H
#define INCLUDED_THZUM_DENOISING_DENOISER_CARD_H

#include "denoising/error_curve.h"
#include "denoising/registry.h"
#include <gnuradio/thzum/onnx_model.h>
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {

/*! Noise variances that a network was trained for. */
struct noise_range {
    float lowest;
    float highest;

    /*! Standard deviation of the nearest level the network knows. */
    float known_std(float variance) const
    {
        return std::sqrt(std::clamp(variance, lowest, highest));
    }
};

/*! What the card of a subarray denoiser says of how to use it. */
struct denoiser_card {
    visible_region::sptr domain;
    error_curve curve;
    noise_range noise;

    /*!
     * \throws std::runtime_error when an entry is missing or makes no sense
     * \throws std::invalid_argument when the model is for another array
     */
    static denoiser_card read(const onnx_model& model, const denoiser_settings& settings);
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_DENOISING_DENOISER_CARD_H */
