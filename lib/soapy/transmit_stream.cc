/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "soapy/transmit_stream.h"
#include <SoapySDR/Logger.hpp>
#include <algorithm>

namespace gr {
namespace thzum {

namespace {

constexpr size_t max_events = 1000;

int64_t wall_samples(const medium& air, double seconds)
{
    return int64_t(seconds * air.settings().sample_rate * air.settings().pace);
}

} // namespace

transmit_stream::transmit_stream(std::shared_ptr<medium> air,
                                 std::vector<int> users,
                                 int64_t align,
                                 double lead)
    : d_air(air),
      d_users(std::move(users)),
      d_align(align),
      d_lead(std::min(lead > 0 ? wall_samples(*air, lead) : air->settings().room / 16,
                      air->settings().room / 4)),
      d_ahead(air->settings().room / 4),
      d_max_count(int(std::min<int64_t>(air->settings().room / 16, 8192)))
{
    size_t claimed = 0;
    try {
        for (; claimed < d_users.size(); claimed++)
            d_air->claim(d_users[claimed]);
    } catch (...) {
        while (claimed > 0)
            d_air->disclaim(d_users[--claimed]);
        throw;
    }
}

transmit_stream::~transmit_stream()
{
    for (const int user : d_users)
        d_air->disclaim(user);
}

void transmit_stream::start(int64_t time)
{
    std::lock_guard<std::mutex> lock(d_mutex);
    d_is_on = true;
    d_is_sending = false;
    d_is_dry = false;
    d_wanted = time;
}

void transmit_stream::end()
{
    std::lock_guard<std::mutex> lock(d_mutex);
    d_is_sending = false;
}

// The first time not before \p time at which a sample with the present place may go out.
int64_t transmit_stream::aligned(int64_t time) const
{
    const int64_t late = (time - d_place) % d_align;
    return late == 0 ? time : time + d_align - late;
}

void transmit_stream::add_event(transmit_event::kind what, int64_t time)
{
    if (what == transmit_event::kind::underflow)
        SoapySDR::log(SOAPY_SDR_SSI, "U");
    if (d_events.size() < max_events)
        d_events.push_back({ what, time });
}

// Where the next sample goes, as the clock stands.
void transmit_stream::meet_clock()
{
    const int64_t now = d_air->now();
    if (!d_is_sending) {
        d_place = 0;
        d_is_dry = false;
        if (d_wanted >= 0 && d_wanted < now)
            add_event(transmit_event::kind::late, d_wanted);
        if (d_wanted >= now) {
            d_next = d_wanted;
            d_place = d_wanted % d_align;
        } else {
            d_next = aligned(now + d_lead);
        }
        d_wanted = -1;
        d_is_sending = true;
    } else if (d_next < now) {
        if (!d_is_dry)
            add_event(transmit_event::kind::underflow, d_next);
        d_is_dry = false;
        d_next = aligned(now + d_lead);
    }
}

int transmit_stream::write(const std::vector<const gr_complex*>& samples,
                           int count,
                           int64_t time,
                           const std::vector<float>& gain,
                           long timeout_us)
{
    std::unique_lock<std::mutex> lock(d_mutex);
    if (!d_is_on)
        return 0;
    if (time >= 0) {
        d_is_sending = false;
        d_wanted = time;
    }
    meet_clock();
    count = std::min(count, d_max_count);
    const int64_t due = d_next + count - d_ahead; // when there is room
    if (due > d_air->now()) {
        lock.unlock();
        d_air->wait(due, timeout_us);
        lock.lock();
        if (due > d_air->now())
            return 0;
    }
    for (size_t k = 0; k < d_users.size(); k++)
        d_air->write(d_users[k], d_next, samples[k], count, gain[k]);
    // Whoever listens may have read the beginning before it was there.
    if (d_air->now() > d_next)
        add_event(transmit_event::kind::underflow, d_next);
    d_next += count;
    d_place = (d_place + count) % d_align;
    return count;
}

bool transmit_stream::next_event(transmit_event& event, long timeout_us)
{
    for (int round = 0;; round++) {
        int64_t dry_at;
        {
            std::lock_guard<std::mutex> lock(d_mutex);
            if (d_is_sending && !d_is_dry && d_next < d_air->now()) {
                d_is_dry = true;
                add_event(transmit_event::kind::underflow, d_next);
            }
            if (!d_events.empty()) {
                event = d_events.front();
                d_events.pop_front();
                return true;
            }
            dry_at = d_is_sending && !d_is_dry ? d_next + 1 : d_air->now() + (int64_t(1) << 50);
        }
        if (round > 0)
            return false;
        d_air->wait(dry_at, timeout_us);
    }
}

} // namespace thzum
} // namespace gr
