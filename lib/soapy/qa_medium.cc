/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "soapy/medium.h"
#include "soapy/transmit_stream.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <boost/test/unit_test.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using gr::thzum::medium;
using gr::thzum::medium_settings;
using gr::thzum::transmit_event;
using gr::thzum::transmit_stream;

namespace {

constexpr int64_t room = 4096;

medium_settings settings(int n_users = 2, uint64_t plan = 1)
{
    return { "qa-" + std::to_string(getpid()), n_users, 1e5, 1.0, room, plan };
}

std::vector<gr_complex> ramp(int count, float first = 1)
{
    std::vector<gr_complex> samples;
    for (int i = 0; i < count; i++)
        samples.emplace_back(first + float(i));
    return samples;
}

std::vector<gr_complex> read(const medium& air, int user, int64_t time, int count)
{
    std::vector<gr_complex> samples(count, gr_complex(-1));
    air.read(user, time, samples.data(), count);
    return samples;
}

bool is_silent(const std::vector<gr_complex>& samples)
{
    return std::all_of(
        samples.begin(), samples.end(), [](gr_complex x) { return x == gr_complex(0); });
}

} // namespace

BOOST_AUTO_TEST_CASE(what_one_writes_another_reads_at_its_time)
{
    medium one(settings()), other(settings());
    const auto sent = ramp(1000);
    for (const int64_t time : { int64_t(0), 3 * room + 123, 7 * room - 10, 1000000 * room + 7 }) {
        one.write(1, time, sent.data(), 1000, 2.0f);
        const auto heard = read(other, 1, time - 5, 1010);
        BOOST_TEST(is_silent({ heard.begin(), heard.begin() + 5 }));
        BOOST_TEST(is_silent({ heard.end() - 5, heard.end() }));
        for (int i = 0; i < 1000; i++)
            BOOST_REQUIRE(heard[i + 5] == 2.0f * sent[i]);
        BOOST_TEST(is_silent(read(other, 0, time, 1000)));
    }
}

BOOST_AUTO_TEST_CASE(what_was_overtaken_by_time_is_silence)
{
    medium air(settings());
    const auto sent = ramp(room);
    air.write(0, 0, sent.data(), room, 1.0f);
    BOOST_TEST(is_silent(read(air, 0, room, room)));
    BOOST_TEST(is_silent(read(air, 0, -room, room)));
    air.write(0, room + 300, sent.data(), 10, 1.0f);
    // The block of 256 that the new samples stand in is theirs, its neighbours are as they were.
    BOOST_TEST(is_silent(read(air, 0, 256, 256)));
    BOOST_TEST((read(air, 0, 512, 1)[0] == sent[512]));
    BOOST_TEST((read(air, 0, room + 309, 2) == std::vector<gr_complex>{ sent[9], 0 }));
}

BOOST_AUTO_TEST_CASE(all_on_a_medium_agree)
{
    {
        medium air(settings());
        BOOST_CHECK_THROW(medium(settings(3)), std::runtime_error);
        BOOST_CHECK_THROW(medium(settings(2, 9)), std::runtime_error);
        auto faster = settings();
        faster.sample_rate *= 2;
        BOOST_CHECK_THROW(medium{ faster }, std::runtime_error);
        auto larger = settings();
        larger.room *= 2;
        BOOST_CHECK_THROW(medium{ larger }, std::runtime_error);
        const auto sent = ramp(10);
        air.write(0, 0, sent.data(), 10, 1.0f);
    }
    // Everyone left: another one may have the name, and nothing is heard of the one before.
    medium air(settings(3, 9));
    BOOST_TEST(is_silent(read(air, 0, 0, 10)));
}

BOOST_AUTO_TEST_CASE(the_last_one_takes_the_memory_away)
{
    const std::string path = "/thzum-" + std::to_string(getuid()) + "-" + settings().name;
    {
        medium one(settings());
        {
            medium other(settings());
        }
        const int file = shm_open(path.c_str(), 0, 0);
        BOOST_TEST(file >= 0);
        close(file);
    }
    BOOST_TEST(shm_open(path.c_str(), 0, 0) < 0);
}

BOOST_AUTO_TEST_CASE(memory_of_the_dead_is_taken_away)
{
    const std::string path = "/thzum-" + std::to_string(getuid()) + "-qa-abandoned";
    const int file = shm_open(path.c_str(), O_RDWR | O_CREAT, 0600);
    BOOST_TEST(ftruncate(file, 100) == 0);
    close(file);
    medium one(settings());
    BOOST_TEST(shm_open(path.c_str(), 0, 0) < 0);
}

BOOST_AUTO_TEST_CASE(a_user_has_one_transmitter)
{
    medium one(settings()), other(settings());
    one.claim(0);
    BOOST_CHECK_THROW(other.claim(0), std::runtime_error);
    other.claim(1);
    one.disclaim(0);
    other.claim(0);
}

BOOST_AUTO_TEST_CASE(a_transmission_keeps_its_place_after_an_underflow)
{
    constexpr int64_t frame = 1000;
    auto air = std::make_shared<medium>(settings(1));
    transmit_stream stream(air, { 0 }, frame, 0.005);
    stream.start(-1);
    const auto sent = ramp(300);
    const std::vector<const gr_complex*> users{ sent.data() };
    const auto send = [&](int count) {
        for (int done = 0; done < count;)
            done += stream.write(users, count - done, -1, { 1.0f }, 1000000);
    };
    // Looks for the sample 1 around the present.
    const auto place = [&] {
        const int64_t now = air->now();
        const auto heard = read(*air, 0, now - 1500, 3000);
        for (int i = 0; i < 3000; i++)
            if (heard[i] == gr_complex(1))
                return now - 1500 + i;
        return int64_t(-1);
    };
    send(200);
    BOOST_TEST(place() % frame == 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    transmit_event event;
    BOOST_TEST(stream.next_event(event, 0));
    BOOST_TEST((event.what == transmit_event::kind::underflow));
    BOOST_TEST(event.time % frame == 200);
    send(200);
    BOOST_TEST(place() % frame == 200);
    BOOST_TEST(!stream.next_event(event, 0));
    stream.end();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    BOOST_TEST(!stream.next_event(event, 0));
}
