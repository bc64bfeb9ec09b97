/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "measurement/checks.h"
#include <sstream>
#include <stdexcept>

namespace gr {
namespace thzum {

void check_positive(const std::string& where, const std::string& argument, int value)
{
    if (value <= 0)
        throw std::invalid_argument(where + ": " + argument + " expects a positive integer, got " +
                                    std::to_string(value));
}

void check_range(const std::string& where,
                 const std::string& argument,
                 double value,
                 double minimum,
                 double maximum)
{
    if (value >= minimum && value <= maximum)
        return;
    std::ostringstream message;
    message << where << ": " << argument << " expects a number from " << minimum << " to "
            << maximum << ", got " << value;
    throw std::invalid_argument(message.str());
}

void check_shape(const std::string& where, const array_shape& shape)
{
    check_positive(where, "n_subarrays", shape.n_subarrays);
    check_positive(where, "rows", shape.rows);
    check_positive(where, "cols", shape.cols);
}

} // namespace thzum
} // namespace gr
