/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ESTIMATION_ARRAY_LAYOUT_H
#define INCLUDED_THZUM_ESTIMATION_ARRAY_LAYOUT_H

#include <gnuradio/gr_complex.h>
#include <string>
#include <vector>

namespace gr {
namespace thzum {
namespace estimation {

/*! Where the subarrays stand, in wavelengths from the middle of the array. */
struct array_layout {
    double spacing;           /*!< of the elements, in wavelengths */
    std::vector<double> x, y; /*!< centre of each subarray; empty if not known */
};

/*!
 * \brief The layout of the options "subarray_centres" and "spacing".
 * \param name of the estimator, for errors
 * \param centres x + jy in wavelengths from any origin, one per subarray or none at all
 * \throws std::invalid_argument for another number of centres
 */
array_layout layout_of(const std::string& name,
                       const std::vector<gr_complex>& centres,
                       double spacing,
                       int subarrays);

} // namespace estimation
} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ESTIMATION_ARRAY_LAYOUT_H */
