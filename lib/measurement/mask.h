/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_MEASUREMENT_MASK_H
#define INCLUDED_THZUM_MEASUREMENT_MASK_H

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace gr {
namespace thzum {

/*! Pilots that a mask leaves. */
inline int heard(const std::vector<uint8_t>& mask)
{
    return static_cast<int>(std::count(mask.begin(), mask.end(), 1));
}

/*! \p mask as zeros and ones. */
inline std::vector<uint8_t> checked_mask(std::vector<uint8_t> mask, int observations)
{
    if (mask.size() != size_t(observations))
        throw std::invalid_argument("mask: expected n_subarrays * n_slots = " +
                                    std::to_string(observations) + " values, got " +
                                    std::to_string(mask.size()));
    for (auto& value : mask)
        value = value != 0;
    if (heard(mask) == 0)
        throw std::invalid_argument("mask: expected at least one pilot that is heard, got none");
    return mask;
}

/*! What repr() says of a mask. */
inline std::string describe_mask(const std::vector<uint8_t>& mask)
{
    const size_t left = heard(mask);
    return left == mask.size() ? ""
                               : ".with_mask(" + std::to_string(left) + " of " +
                                     std::to_string(mask.size()) + " heard)";
}

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_MEASUREMENT_MASK_H */
