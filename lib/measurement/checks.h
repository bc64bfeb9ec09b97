/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_MEASUREMENT_CHECKS_H
#define INCLUDED_THZUM_MEASUREMENT_CHECKS_H

#include <gnuradio/thzum/array_shape.h>
#include <string>

namespace gr {
namespace thzum {

/*! Throws std::invalid_argument unless \p value > 0. */
void check_positive(const std::string& where, const std::string& argument, int value);

/*! Throws std::invalid_argument unless minimum <= value <= maximum; NaN is refused. */
void check_range(const std::string& where,
                 const std::string& argument,
                 double value,
                 double minimum,
                 double maximum);

/*! Throws std::invalid_argument unless every dimension is positive. */
void check_shape(const std::string& where, const array_shape& shape);

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_MEASUREMENT_CHECKS_H */
