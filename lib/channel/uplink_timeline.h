/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_CHANNEL_UPLINK_TIMELINE_H
#define INCLUDED_THZUM_CHANNEL_UPLINK_TIMELINE_H

#include <gnuradio/thzum/api.h>
#include <gnuradio/thzum/uplink_channel.h>
#include <cstdint>
#include <vector>

namespace gr {
namespace thzum {

/*! One combiner entry in force, and the channel time at which it no longer is. */
struct combiner_interval {
    int entry;
    int64_t end;
};

/*! Combiner entries along channel time: schedules, each in force until the next takes over. */
class THZUM_API uplink_timeline
{
public:
    /*! \throws std::invalid_argument for entries not in 0 .. n_entries - 1 or empty frames */
    uplink_timeline(const uplink_schedule& schedule, int n_entries);

    /*!
     * \brief Put a schedule in force from \p sample on; what was to begin later is dropped.
     *
     * \p now is the next time that will be asked for: schedules that ended before are forgotten.
     * \throws std::invalid_argument as the constructor; the timeline stays as it was
     */
    void set(const uplink_schedule& schedule, int64_t sample, int64_t now);

    /*! What is in force at \p sample, which is not before the last set()'s \p now. */
    combiner_interval at(int64_t sample) const;

private:
    struct period {
        int64_t first; // channel time from which on it is in force
        int64_t start; // of a frame
        bool is_fixed; // there is one entry only
        std::vector<int> entries;
        std::vector<int64_t> ends; // of the entries, counted from the start of a frame
    };

    period checked(const uplink_schedule& schedule, int64_t first) const;

    int d_n_entries;
    std::vector<period> d_periods; // by time
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_CHANNEL_UPLINK_TIMELINE_H */
