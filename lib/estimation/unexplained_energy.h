/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ESTIMATION_UNEXPLAINED_ENERGY_H
#define INCLUDED_THZUM_ESTIMATION_UNEXPLAINED_ENERGY_H

#include <gnuradio/thzum/api.h>

namespace gr {
namespace thzum {
namespace estimation {

/*!
 * \brief Error that an estimate does not know of, judged by what it leaves of the pilots.
 *
 * Of n pilots with noise of known variance, an estimate with the error e, that follows d unknowns of the
 * noise, leaves n noise_var + e - 2 d noise_var on average (Stein, Ann. Statist. 1981). What it leaves
 * beyond the e that it expects of itself is more error, up to a spread of sqrt(n) noise_var, which is as
 * large as the error itself. So the excess is weighed: four times of five there is none (the model holds),
 * otherwise it is spread exponentially with a mean of a few spreads; the answer is its posterior mean.
 *
 * \param excess energy left beyond the expected, of either sign
 * \param spread standard deviation of the excess when there is no unexplained error, > 0
 */
THZUM_API double unexplained_energy(double excess, double spread);

} // namespace estimation
} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ESTIMATION_UNEXPLAINED_ENERGY_H */
