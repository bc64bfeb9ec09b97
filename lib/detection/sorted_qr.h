/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_DETECTION_SORTED_QR_H
#define INCLUDED_THZUM_DETECTION_SORTED_QR_H

#include "detection/real_model.h"

namespace gr {
namespace thzum {

/*!
 * \brief Sorted QR decomposition of the real channel with the root of the loading below it
 * (Wuebben, Boehnke, Kuehn, Kammeyer, "MMSE extension of V-BLAST based on sorted QR decomposition",
 * VTC 2003).
 *
 * At every step of the Gram-Schmidt orthogonalisation the column with the least energy left comes
 * next, so that what is decided first, the last column, is strong.
 */
class sorted_qr
{
public:
    explicit sorted_qr(const real_model& model);

    /*! \param loading square of what stands below H on the diagonal, > 0 */
    void factor(const real_model& model, double loading);

    /*! Column of H that column \p i of R belongs to. */
    int column(int i) const { return d_order[i]; }

    /*! R, [columns][column_stride], upper triangle. */
    const float* r() const { return d_r.data(); }

    /*! Rows of Q that belong to H: [rows][column_stride], zero in the padding. */
    const float* q() const { return d_q.data(); }

private:
    void bring_smallest(int i, int n);

    std::vector<double> d_columns; // [columns][rows + columns], orthonormal in the end
    std::vector<double> d_energy;  // left in each column
    std::vector<double> d_full_r;  // [columns][columns]
    std::vector<int> d_order;
    std::vector<float> d_r, d_q;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_DETECTION_SORTED_QR_H */
