/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_SYNC_REFERENCE_LAYOUT_H
#define INCLUDED_THZUM_SYNC_REFERENCE_LAYOUT_H

#include <gnuradio/thzum/air_frame.h>
#include <algorithm>
#include <vector>

namespace gr {
namespace thzum {

/*! Where the references of a frame lie, J of them in groups that share a combiner. */
struct reference_layout {
    reference_layout(const air_frame& frame, int n_chains)
        : n_chains(n_chains),
          n_users(frame.parameters().n_users),
          n_chips(frame.n_chips()),
          n_groups(frame.n_reference_groups())
    {
        std::vector<double> last(n_groups, -1.0);
        for (const auto& each : frame.references()) {
            times.push_back(each.first + 0.5 * (n_chips - 1));
            groups.push_back(each.group);
            if (last[each.group] >= 0.0)
                largest_gap = std::max(largest_gap, times.back() - last[each.group]);
            last[each.group] = times.back();
        }
    }

    int size() const { return int(times.size()); }
    double duration() const { return times.empty() ? 0.0 : times.back() - times.front(); }

    int n_chains;
    int n_users;
    int n_chips;
    int n_groups;
    std::vector<double> times; /*!< [J] centres in symbols of the frame */
    std::vector<int> groups;   /*!< [J] */
    double largest_gap = 0.0;  /*!< between neighbours of a group, in symbols; 0 if none has two */
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_SYNC_REFERENCE_LAYOUT_H */
