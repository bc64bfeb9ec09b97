/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/qa_allocations.h"
#include "sync/phase_tracker.h"
#include "sync/qa_user_frames.h"
#include "sync/user_turner.h"
#include <boost/test/unit_test.hpp>
#include <cmath>

using namespace gr::thzum;

BOOST_AUTO_TEST_CASE(following_users_allocates_nothing)
{
    constexpr int chains = 2, users = 24;
    const auto frame = frame_of_users(users);
    phase_tracker tracker(frame, chains, false, 5e-4);
    user_turner turner(*frame);
    // Users turn by so much that they get phases of their own.
    std::vector<gr_complex> values;
    for (int s = 0; s < chains; s++)
        for (const auto& each : frame->references())
            for (int i = 0; i < users; i++) {
                gr_complex sum(0);
                for (int k = 0; k < users; k++)
                    sum += frame->parameters().sequences[k * users + i] *
                           gr_complex(std::polar(1.0, 6e-5 * k * each.first));
                values.push_back(sum);
            }
    const std::vector<double> noise_var(chains, 0.1);
    std::vector<gr_complex> factors(users, 1), chips(users, 1);
    const long before = allocations;
    tracker.run(values.data(), noise_var.data());
    turner.set_frequency(tracker.user_frequency());
    turner.run(factors.data(), chips.data());
    BOOST_CHECK_EQUAL(allocations - before, 0);
    BOOST_CHECK(tracker.has_user_phases());
}
