/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_MEASUREMENT_SLEPIAN_H
#define INCLUDED_THZUM_MEASUREMENT_SLEPIAN_H

#include <Eigen/Core>

namespace gr {
namespace thzum {

/*!
 * \brief Discrete prolate spheroidal sequences, the columns of a \p size x \p n_sequences matrix.
 *
 * Orthonormal, ordered by energy in |f| <= half_bandwidth, alternately symmetric (sum positive) and
 * antisymmetric (first lobe positive). D. Slepian, "Prolate spheroidal wave functions, Fourier
 * analysis, and uncertainty V: the discrete case", Bell Syst. Tech. J. 57 (1978).
 *
 * \param half_bandwidth in cycles per element, 0 < half_bandwidth <= 0.5
 */
Eigen::MatrixXd slepian_sequences(int size, double half_bandwidth, int n_sequences);

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_MEASUREMENT_SLEPIAN_H */
