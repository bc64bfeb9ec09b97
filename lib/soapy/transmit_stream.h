/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_SOAPY_TRANSMIT_STREAM_H
#define INCLUDED_THZUM_SOAPY_TRANSMIT_STREAM_H

#include "soapy/medium.h"
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

namespace gr {
namespace thzum {

/*! What happened to a transmission. */
struct transmit_event {
    enum class kind { underflow, late };
    kind what;
    int64_t time;
};

/*!
 * \brief Users' samples into the medium, just ahead of its time.
 *
 * A transmission begins at the time asked for, or at the next multiple of \p align. When samples
 * come too late (underflow), it goes on such that each keeps its place within that, so that the
 * frames go on meeting the array's combiners.
 */
class transmit_stream
{
public:
    transmit_stream(std::shared_ptr<medium> air,
                    std::vector<int> users,
                    int64_t align,
                    double lead);
    ~transmit_stream();

    const std::vector<int>& users() const { return d_users; }
    int max_count() const { return d_max_count; }

    /*! Begin anew: at \p time, if that is not negative. */
    void start(int64_t time);
    void stop() { d_is_on = false; }

    /*!
     * \brief Send; waits for room, but not beyond \p timeout_us.
     * \param time of the first sample, or negative: behind those before
     * \param gain [users]
     * \returns how many were taken
     */
    int write(const std::vector<const gr_complex*>& samples,
              int count,
              int64_t time,
              const std::vector<float>& gain,
              long timeout_us);

    /*! The last sample was given, a pause is no underflow. */
    void end();

    /*! The next event, if one comes within \p timeout_us. */
    bool next_event(transmit_event& event, long timeout_us);

private:
    void meet_clock();
    int64_t aligned(int64_t time) const;
    void add_event(transmit_event::kind what, int64_t time);

    std::shared_ptr<medium> d_air;
    const std::vector<int> d_users;
    const int64_t d_align, d_lead, d_ahead;
    const int d_max_count;
    bool d_is_on = false;      // between start and stop
    bool d_is_sending = false; // within a transmission
    int64_t d_wanted = -1;     // when the next transmission begins
    int64_t d_place = 0;       // within d_align, of the next sample
    int64_t d_next = 0;        // time of the next sample
    bool d_is_dry = false;     // the underflow at hand was reported
    std::mutex d_mutex;
    std::deque<transmit_event> d_events;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_SOAPY_TRANSMIT_STREAM_H */
