/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_DENOISING_REGISTRY_H
#define INCLUDED_THZUM_DENOISING_REGISTRY_H

#include <gnuradio/thzum/denoiser.h>

namespace gr {
namespace thzum {

/*! What every denoiser is built from. */
struct denoiser_settings {
    array_shape shape;
    int max_batch;
    double spacing; /*!< wavelengths */
};

/*! A line of the registry: a description and the function that builds from checked options. */
struct denoiser_entry {
    algorithm_info info;
    denoiser::sptr (*make)(const denoiser_settings& settings, const option_reader& options);
};

denoiser_entry soft_threshold_entry();
denoiser_entry bernoulli_gaussian_entry();
denoiser_entry onnx_denoiser_entry();

/*! The option "dictionary" with \p default_name. */
option_info dictionary_option(const std::string& default_name);

/*! The dictionary the option "dictionary" names, for one subarray. */
dictionary::sptr make_dictionary(const denoiser_settings& settings, const option_reader& options);

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_DENOISING_REGISTRY_H */
