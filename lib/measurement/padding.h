/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_MEASUREMENT_PADDING_H
#define INCLUDED_THZUM_MEASUREMENT_PADDING_H

namespace gr {
namespace thzum {

/*! The smallest multiple of \p multiple that is not below \p size. */
constexpr int round_up(int size, int multiple)
{
    return (size + multiple - 1) / multiple * multiple;
}

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_MEASUREMENT_PADDING_H */
