/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ESTIMATION_WAVE_ATOMS_H
#define INCLUDED_THZUM_ESTIMATION_WAVE_ATOMS_H

#include <gnuradio/thzum/dictionary.h>
#include <vector>

namespace gr {
namespace thzum {
namespace estimation {

/*!
 * \brief Plane waves over one subarray, in coefficients of its visible region.
 *
 * With its phase counted from the middle of the subarray, a plane wave exp(j 2 pi u m) has real
 * coefficients on each axis: the symmetric sequences see its cosine, the antisymmetric ones, which
 * carry a factor j, its sine. Both axes together are the product of the two vectors.
 */
class THZUM_API wave_atoms
{
public:
    explicit wave_atoms(const visible_region::sptr& region);

    /*! Elements of the subarray. */
    int rows() const { return d_row.size; }
    int cols() const { return d_col.size; }

    /*! Coefficients along the rows' and along the columns' axis. */
    int row_size() const { return d_row.n_slepian; }
    int col_size() const { return d_col.n_slepian; }

    /*!
     * \brief The wave of \p v cycles per element along the rows and \p u along the columns.
     * \param wave, along_u, along_v [row_size * col_size]: the coefficients and their derivatives
     *        by u and v
     */
    void evaluate(double u, double v, float* wave, float* along_u, float* along_v);

    /*! Coefficients of one axis alone; for grids. */
    void row_axis(double v, double* wave, double* slope) const { d_row.evaluate(v, wave, slope); }
    void col_axis(double u, double* wave, double* slope) const { d_col.evaluate(u, wave, slope); }

private:
    struct axis {
        int size, n_slepian;
        std::vector<double> sequences; // [half of the elements][n_slepian], outer elements first

        axis(const visible_region::sptr& region, bool rows);
        void evaluate(double cycles, double* wave, double* slope) const;
    };

    axis d_row, d_col;
    std::vector<double> d_p, d_p_slope, d_q, d_q_slope;
};

} // namespace estimation
} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ESTIMATION_WAVE_ATOMS_H */
