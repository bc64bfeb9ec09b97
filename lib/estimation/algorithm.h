/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ESTIMATION_ALGORITHM_H
#define INCLUDED_THZUM_ESTIMATION_ALGORITHM_H

#include <gnuradio/thzum/denoiser.h>
#include <gnuradio/thzum/estimator.h>
#include <gnuradio/thzum/options.h>

namespace gr {
namespace thzum {
namespace estimation {

/*! An entry of the registry: what an estimator is called and how it is built. */
struct algorithm {
    using factory = estimator::sptr (*)(const algorithm_info& info,
                                        const pilot_operator::sptr& op,
                                        const option_map& options);
    algorithm_info info;
    factory make;
};

/*! Options that every estimator has: "max_batch", "spacing", "noise_paths" and those of converters. */
std::vector<option_info> common_options();

/*! \p own followed by common_options(). */
std::vector<option_info> with_common(std::vector<option_info> own);

/*!
 * \p own, common_options(), "denoiser" and the options of every denoiser. Those of a denoiser are
 * passed on to it only when the user gives them, so that its own defaults hold; only "dictionary"
 * may have a default of the estimator's own in \p own.
 */
std::vector<option_info> with_denoiser(std::vector<option_info> own,
                                       const std::string& default_denoiser);

/*!
 * \brief The denoiser that options built by with_denoiser() ask for.
 * \param one_subarray for items of one subarray, as many of them as the batch has subarrays
 */
denoiser::sptr make_inner_denoiser(const algorithm_info& info,
                                   const pilot_operator::sptr& op,
                                   const option_map& given,
                                   bool one_subarray = false);

/*! What option_map estimator::options() shows: what is given, and the defaults of what is the
 * estimator's own. */
option_map settings_in_force(const algorithm_info& info, const option_map& given);

/*! "name(option=value, ...)". */
std::string describe_settings(const std::string& name, const option_map& settings);

} // namespace estimation
} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ESTIMATION_ALGORITHM_H */
