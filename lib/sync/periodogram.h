/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_SYNC_PERIODOGRAM_H
#define INCLUDED_THZUM_SYNC_PERIODOGRAM_H

#include "sync/reference_layout.h"
#include <gnuradio/gr_complex.h>
#include <gnuradio/thzum/api.h>
#include <vector>

namespace gr {
namespace thzum {

/*!
 * \brief Energy that each user's references add up to at a frequency.
 *
 * Reference j of group g gives X[s,j,k] = a[s,g,k] exp(2j pi f t_j) + noise of variance 1, a[s,g,k]
 * being unknown but the same for the n_g references of its group. Up to a constant the logarithm of
 * the likelihood of f, maximised over a, is
 *
 *     L_k(f) = sum_{s,g} | sum_{j in g} X[s,j,k] exp(-2j pi f t_j) |^2 / n_g.
 */
class THZUM_API periodogram
{
public:
    /*! Largest frequency either way that no other of the grid resembles; 0 without references. */
    static double unambiguous(const reference_layout& layout);

    /*! \param largest frequency of the grid either way, in cycles per symbol */
    periodogram(const reference_layout& layout, double largest);

    /*! Places of the grid; 0 where the references tell nothing of a frequency. */
    int size() const { return d_size; }

    double frequency(int place) const { return (place - d_size / 2) * d_step; }

    /*! Place of the lowest frequency of the grid within \p largest either way. */
    int first_within(double largest) const;

    /*!
     * \brief L_k over the grid, for places from \p first to size() - 1 - \p first.
     * \param values X [S][J][K]; zeros where a reference is lost
     * \param group_sizes [G] references of each group that are not lost
     */
    void scan(const gr_complex* values, const std::vector<int>& group_sizes, int first);

    /*! L_k [size()] of the last scan. */
    const float* of_user(int user) const { return &d_rows[size_t(user) * d_size]; }

    struct peak {
        double frequency;
        double value;
    };

    /*! Highest place of \p row that was scanned from \p first, refined by a parabola. */
    peak highest(const float* row, int first) const;

    /*! The maximum of L_k near \p frequency, to a small part of its width. */
    double refined(const gr_complex* values,
                   const std::vector<int>& group_sizes,
                   int user,
                   double frequency) const;

private:
    double energy(const gr_complex* values,
                  const std::vector<int>& group_sizes,
                  int user,
                  double frequency) const;

    reference_layout d_layout;
    double d_step = 0.0;
    int d_size = 0;
    std::vector<float> d_cos, d_sin; // [J][size]
    std::vector<float> d_re, d_im;   // [size]
    std::vector<float> d_rows;       // [K][size]
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_SYNC_PERIODOGRAM_H */
