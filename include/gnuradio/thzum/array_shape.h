/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ARRAY_SHAPE_H
#define INCLUDED_THZUM_ARRAY_SHAPE_H

namespace gr {
namespace thzum {

/*!
 * \brief Dimensions of an array of subarrays.
 *
 * A channel vector is ordered [subarray][row (y)][column (x)].
 */
struct array_shape {
    int n_subarrays; /*!< S, the number of RF chains */
    int rows;        /*!< elements of one subarray along y */
    int cols;        /*!< elements of one subarray along x */

    /*! Elements of one subarray. */
    int elements() const { return rows * cols; }

    /*! Antennas N over all subarrays. */
    int antennas() const { return n_subarrays * elements(); }

    bool operator==(const array_shape& other) const
    {
        return n_subarrays == other.n_subarrays && rows == other.rows && cols == other.cols;
    }
    bool operator!=(const array_shape& other) const { return !(*this == other); }
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ARRAY_SHAPE_H */
