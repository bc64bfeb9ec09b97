/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_BLOCKS_BLOCK_ARGUMENTS_H
#define INCLUDED_THZUM_BLOCKS_BLOCK_ARGUMENTS_H

#include <gnuradio/thzum/pilot_operator.h>
#include <string>

namespace gr {
namespace thzum {

/*! \return \p value of the argument \p name \throws std::invalid_argument in the name of \p block
 * unless it is at least 1 */
int at_least_one(const std::string& block, const std::string& name, int value);

/*! \throws std::invalid_argument in the name of \p block unless \p noise_var is 0 or a positive
 * number that fits a float */
double checked_noise_var(const std::string& block, double noise_var);

/*! \throws std::invalid_argument in the name of \p block when there is no operator */
const pilot_operator::sptr& checked_operator(const std::string& block,
                                             const pilot_operator::sptr& op);

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_BLOCKS_BLOCK_ARGUMENTS_H */
