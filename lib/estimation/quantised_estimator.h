/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ESTIMATION_QUANTISED_ESTIMATOR_H
#define INCLUDED_THZUM_ESTIMATION_QUANTISED_ESTIMATOR_H

#include <gnuradio/thzum/estimator.h>

namespace gr {
namespace thzum {
namespace estimation {

/*! Options of converters, which every estimator has: "adc_bits", "adc_step" and "adc_iterations".
 */
std::vector<option_info> converter_options();

/*! Whether \p given asks for converters. */
bool has_converters(const algorithm_info& info, const option_map& given);

/*! \p given without converter_options(). */
option_map without_converters(const option_map& given);

/*!
 * \brief An estimator behind the generalised linear step of converters of few bits.
 *
 * Expectation propagation for generalised linear models (Meng, Wu, Zhu, IEEE Signal Process. Lett.
 * 2018) around the estimator: the cell of each received level and the present Gaussian belief of
 * the sample before it have a posterior mean and variance; divided by the belief they are an
 * observation with Gaussian noise, which goes to the estimator as its pilots; what its estimate
 * says of the samples, less what it has from these very observations, is the next belief. Variances
 * are averages, over an RF chain before the estimator and over the array behind it.
 *
 * Exact where each observation passed one converter pair, with antenna noise that is independent
 * from row to row and rows of equal norm; other noise enters by its mean. Pilots that do not lie on
 * levels, such as averages over chips of several users, are taken as linear with Gaussian noise
 * instead (Bussgang), at the power that an average over as many users of equal power as chips has.
 */
estimator::sptr
make_quantised(const algorithm_info& info, const option_map& given, estimator::sptr inner);

} // namespace estimation
} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ESTIMATION_QUANTISED_ESTIMATOR_H */
