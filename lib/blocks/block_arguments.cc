/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "block_arguments.h"
#include "item_check.h"
#include <stdexcept>

namespace gr {
namespace thzum {

int at_least_one(const std::string& block, const std::string& name, int value)
{
    if (value < 1)
        throw std::invalid_argument(block + ": " + name +
                                    " expects an integer of at least 1, got " +
                                    std::to_string(value));
    return value;
}

double checked_noise_var(const std::string& block, double noise_var)
{
    if (noise_var != 0.0 && !is_usable_noise_var(noise_var))
        throw std::invalid_argument(
            block +
            ": noise_var expects a positive finite number, or 0 for the tag "
            "thzum_noise_var, got " +
            std::to_string(noise_var));
    return noise_var;
}

const pilot_operator::sptr& checked_operator(const std::string& block,
                                             const pilot_operator::sptr& op)
{
    if (!op)
        throw std::invalid_argument(block + ": op expects a pilot_operator, got none");
    return op;
}

} // namespace thzum
} // namespace gr
