/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ESTIMATION_CORRELATE_ROWS_H
#define INCLUDED_THZUM_ESTIMATION_CORRELATE_ROWS_H

namespace gr {
namespace thzum {
namespace estimation {

/*!
 * out[p][j] = sum_i waves[p][i] x[i][j], for small matrices of any size.
 * \param waves [points][size]
 * \param x [size][cols]
 * \param out [points][cols]
 */
void correlate_rows(const float* waves, const float* x, float* out, int points, int size, int cols);

} // namespace estimation
} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ESTIMATION_CORRELATE_ROWS_H */
