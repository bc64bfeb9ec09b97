/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_DETECTION_CONSTELLATION_H
#define INCLUDED_THZUM_DETECTION_CONSTELLATION_H

#include <gnuradio/gr_complex.h>
#include <string>
#include <vector>

namespace gr {
namespace thzum {

/*!
 * \brief A constellation of 3GPP TS 38.211 (section 5.1) as the Gray-mapped amplitudes of one real
 * axis.
 *
 * Square QAM is the same amplitude map on both axes, its even bits on I and its odd bits on Q. BPSK
 * has one axis, the diagonal (1+j)/sqrt(2). On either, noise of variance v per complex sample is
 * v/2 per axis.
 */
struct constellation {
    std::string name;
    int axes;          /*!< 2, or 1 for BPSK */
    int bits_per_axis; /*!< of one axis */
    std::vector<float>
        levels; /*!< [2^bits_per_axis], index = bits of the axis, first most significant */
    std::vector<gr_complex> points;

    int bits_per_symbol() const { return axes * bits_per_axis; }
};

/*! \throws std::invalid_argument for an unknown name, listing the known ones */
const constellation& find_constellation(const std::string& name);

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_DETECTION_CONSTELLATION_H */
