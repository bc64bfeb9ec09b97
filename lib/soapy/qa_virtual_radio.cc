/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/qa_allocations.h"
#include <gnuradio/thzum/radio_setup.h>
#include <SoapySDR/Device.hpp>
#include <SoapySDR/Formats.h>
#include <unistd.h>
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

using gr::thzum::radio_setup;

namespace {

constexpr int n_users = 2, n_chains = 2, count = 256;

// One path per user to two subarrays of one antenna each.
radio_setup small()
{
    radio_setup setup;
    auto& p = setup.channel;
    p.shape = { n_chains, 1, 1 };
    p.n_realisations = 1;
    p.n_users = n_users;
    p.n_paths = 1;
    p.gain.assign(n_users * n_chains, 1);
    p.along_y = p.along_x = p.gain;
    p.delay.assign(n_users, 0.0);
    p.doppler.assign(n_users, 0.0);
    p.delay_taps = 8;
    p.combiners.assign(n_chains, 1);
    p.schedule = { { 0 }, { 100 }, 0 };
    p.coherence_samples = 0;
    p.noise_var = 0.1;
    p.h_interval = p.h_offset = 0;
    p.seed = 1;
    p.sample_rate = 1e6;
    setup.carrier_frequency = 300e9;
    setup.frame_length = 100;
    setup.plan = 1;
    setup.beams = { 0, 0 };
    return setup;
}

struct radio {
    radio()
    {
        const auto path = "/tmp/thzum-qa-radio-" + std::to_string(getpid());
        small().save(path);
        const SoapySDR::Kwargs arguments = { { "driver", "thzum" },
                                             { "setup", path },
                                             { "medium", "qa-radio-" + std::to_string(getpid()) } };
        device = SoapySDR::Device::make(arguments);
        std::remove(path.c_str());
    }
    ~radio() { SoapySDR::Device::unmake(device); }

    SoapySDR::Stream* open(int direction, const std::string& format)
    {
        auto* stream = device->setupStream(direction, format, { 0, 1 });
        device->activateStream(stream);
        return stream;
    }

    SoapySDR::Device* device;
};

// Allocations of \p calls times \p call, after one that may still allocate.
template <class Call>
long allocations_of(int calls, Call call)
{
    BOOST_REQUIRE_GT(call(), 0);
    const long before = allocations;
    int good = 0;
    for (int i = 0; i < calls; i++)
        good += call() > 0;
    const long after = allocations;
    BOOST_CHECK_GE(good, calls / 2);
    return after - before;
}

} // namespace

BOOST_AUTO_TEST_CASE(reading_and_writing_do_not_allocate)
{
    radio one;
    for (const std::string format : { SOAPY_SDR_CF32, SOAPY_SDR_CS16 }) {
        auto* reader = one.open(SOAPY_SDR_RX, format);
        auto* writer = one.open(SOAPY_SDR_TX, format);
        std::vector<std::vector<gr_complex>> samples(2, std::vector<gr_complex>(count));
        void* const to[] = { samples[0].data(), samples[1].data() };
        const void* const from[] = { samples[0].data(), samples[1].data() };
        int flags = 0;
        long long time = 0;
        BOOST_CHECK_EQUAL(allocations_of(20,
                                         [&] {
                                             flags = 0;
                                             return one.device->writeStream(
                                                 writer, from, count, flags, 0, 100000);
                                         }),
                          0);
        BOOST_CHECK_EQUAL(
            allocations_of(
                20, [&] { return one.device->readStream(reader, to, count, flags, time, 100000); }),
            0);
        one.device->closeStream(reader);
        one.device->closeStream(writer);
    }
}
