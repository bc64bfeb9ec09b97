/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/array_layout.h"
#include <stdexcept>

namespace gr {
namespace thzum {
namespace estimation {

array_layout layout_of(const std::string& name,
                       const std::vector<gr_complex>& centres,
                       double spacing,
                       int subarrays)
{
    array_layout layout = { spacing, {}, {} };
    if (centres.empty())
        return layout;
    if (static_cast<int>(centres.size()) != subarrays)
        throw std::invalid_argument(
            name + ": subarray_centres: expected one complex x + jy in wavelengths for each of " +
            std::to_string(subarrays) + " subarrays, got " + std::to_string(centres.size()));
    double x = 0.0, y = 0.0;
    for (const auto& centre : centres)
        x += centre.real() / double(subarrays), y += centre.imag() / double(subarrays);
    for (const auto& centre : centres) {
        layout.x.push_back(centre.real() - x);
        layout.y.push_back(centre.imag() - y);
    }
    return layout;
}

} // namespace estimation
} // namespace thzum
} // namespace gr
