/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ESTIMATION_SPHERICAL_WAVE_H
#define INCLUDED_THZUM_ESTIMATION_SPHERICAL_WAVE_H

#include "estimation/array_layout.h"
#include <gnuradio/thzum/api.h>

namespace gr {
namespace thzum {
namespace estimation {

/*! One wave that a fit explains the pilots with. */
struct fitted_path {
    bool coherent;    /*!< one gain for the whole array; otherwise one per subarray */
    double ux, uy;    /*!< direction cosines, at the middle of the array */
    double curvature; /*!< inverse distance of the source in 1/wavelength, 0 for a plane wave;
                         coherent paths only */
};

/*! A path at one subarray, with its slopes by ux, uy and, of a coherent path, the curvature. */
struct local_wave {
    double u, v;  /*!< cycles per element */
    double phase; /*!< at the middle of the subarray, over that of the gain */
    double phase_slope[3];
    double u_slope[3], v_slope[3];
};

/*!
 * \brief The wave of \p path at subarray \p s.
 *
 * A coherent path has the phase and the direction of its spherical wavefront at the middle of the
 * subarray, one with free gains the same direction everywhere and no phase.
 */
THZUM_API local_wave wave_at(const array_layout& layout, const fitted_path& path, int s);

/*! How far a path may go. */
struct path_limits {
    double ux, uy;    /*!< largest step */
    double curvature; /*!< largest, in 1/wavelength */
};

/*! Limits for subarrays of \p rows x \p cols elements. */
path_limits limits_of(const array_layout& layout, int rows, int cols, double max_curvature);

/*! \p path after a step [2 or, if it is coherent, 3], within the limits and the visible disc. */
fitted_path moved(const fitted_path& path, const double* step, const path_limits& limits);

} // namespace estimation
} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ESTIMATION_SPHERICAL_WAVE_H */
