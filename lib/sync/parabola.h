/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_SYNC_PARABOLA_H
#define INCLUDED_THZUM_SYNC_PARABOLA_H

#include <algorithm>

namespace gr {
namespace thzum {

/*! Where the parabola through three values at -1, 0 and 1 is highest, at most 0.5 either way; 0 if
 * it has no top. */
inline double parabola_vertex(double below, double middle, double above)
{
    const double bend = below - 2.0 * middle + above;
    return bend < 0.0 ? std::clamp(0.5 * (below - above) / bend, -0.5, 0.5) : 0.0;
}

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_SYNC_PARABOLA_H */
