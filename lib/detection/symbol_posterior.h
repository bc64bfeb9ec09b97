/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_DETECTION_SYMBOL_POSTERIOR_H
#define INCLUDED_THZUM_DETECTION_SYMBOL_POSTERIOR_H

#include <gnuradio/gr_complex.h>
#include <vector>

namespace gr {
namespace thzum {

/*!
 * \brief Variance of a symbol that is one of \p points, equally likely, given x_hat = symbol +
 * circular Gaussian noise: E|x - E x|^2 under p(x | x_hat), from 0 (sure) to 1 (nothing known).
 */
float posterior_variance(const std::vector<gr_complex>& points, gr_complex x_hat, float variance);

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_DETECTION_SYMBOL_POSTERIOR_H */
