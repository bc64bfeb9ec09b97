/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_SYNC_USER_OFFSETS_H
#define INCLUDED_THZUM_SYNC_USER_OFFSETS_H

#include "sync/periodogram.h"

namespace gr {
namespace thzum {

/*!
 * \brief Whether users differ in frequency, and by how much.
 *
 * Each user's own frequency maximises his L_k of the periodogram. Users differ when
 *
 *     sum_k max_f L_k(f) - max_f sum_k L_k(f)
 *
 * exceeds what noise reaches: twice that is chi-square distributed with one degree of freedom less
 * than there are users. Users whose maximum could be noise alone are left out of both, so an absent
 * user neither decides nor has an offset. What turns less than a fiftieth of a radian over the
 * frame's references does not count either.
 */
class THZUM_API user_offsets
{
public:
    /*!
     * \param layout of the references
     * \param largest frequency of a user against the common one, either way, in cycles per symbol;
     * 0 finds none
     */
    user_offsets(const reference_layout& layout, double largest);

    /*!
     * \param values [S][J][K] references with noise of variance 1, zero where there is nothing
     * \param group_sizes [G] references of each group that are not lost
     * \returns whether users differ
     */
    bool find(const gr_complex* values, const std::vector<int>& group_sizes);

    /*! Own frequencies of the values last looked at [K]; 0 for users who are too weak. */
    const std::vector<double>& estimate(const gr_complex* values,
                                        const std::vector<int>& group_sizes);

    /*! Largest frequency that is looked for, either way. */
    double largest() const { return d_largest; }

private:
    int scan(const gr_complex* values, const std::vector<int>& group_sizes);
    double noise_peak(const std::vector<int>& group_sizes) const;

    reference_layout d_layout;
    double d_largest;
    periodogram d_spectrum;
    std::vector<bool> d_is_strong;          // [K]
    std::vector<periodogram::peak> d_peaks; // [K]
    std::vector<float> d_sum;               // [places]
    std::vector<double> d_frequency;        // [K]
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_SYNC_USER_OFFSETS_H */
