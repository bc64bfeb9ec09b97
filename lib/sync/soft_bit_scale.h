/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_SYNC_SOFT_BIT_SCALE_H
#define INCLUDED_THZUM_SYNC_SOFT_BIT_SCALE_H

#include <gnuradio/thzum/api.h>

namespace gr {
namespace thzum {

/*!
 * \brief Factor that makes soft bits log-likelihood ratios, from some whose bits are known.
 *
 * A detector that believes in less noise than there is, from an oscillator, say, gives soft bits
 * that are too large. Of the model that log P(right) / P(wrong) is a times the soft bit's size, the
 * factor is the a of maximum likelihood, within 1/1024 and 1024. One more bit of mean size counts
 * as wrong: n bits without an error do not show that errors are rarer than one in n + 1.
 *
 * \param margins [n] soft bits, positive where they are right; zeros say nothing
 * \returns the factor; 1 when all margins are zero
 */
THZUM_API double soft_bit_scale(const float* margins, int n);

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_SYNC_SOFT_BIT_SCALE_H */
