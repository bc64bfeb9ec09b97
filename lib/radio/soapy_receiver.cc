/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "radio/soapy_receiver.h"
#include <stdexcept>

#ifdef THZUM_HAVE_SOAPYSDR
#include <SoapySDR/Constants.h>
#include <SoapySDR/Device.hpp>
#include <SoapySDR/Errors.hpp>
#include <SoapySDR/Formats.h>
#include <SoapySDR/Registry.hpp>
#include <cmath>
#include <numeric>
#include <sstream>
#endif

namespace gr {
namespace thzum {

#ifndef THZUM_HAVE_SOAPYSDR

bool soapy_receiver::is_available() { return false; }

std::unique_ptr<soapy_receiver> soapy_receiver::make(const soapy_source_settings&)
{
    throw std::runtime_error(
        "soapy_source: this build has no SoapySDR; install libsoapysdr-dev and "
        "build the module again");
}

#else

namespace {

constexpr double leave_gain = -1000.0;
constexpr long wait_us = 100000;
constexpr long long start_delay_ns = 50000000;
constexpr int max_packet = 65536;

[[noreturn]] void refuse(const std::string& device, const std::string& why)
{
    throw std::invalid_argument("device \"" + device + "\": " + why);
}

std::string known_drivers()
{
    std::string names;
    for (const auto& driver : SoapySDR::Registry::listFindFunctions())
        names += (names.empty() ? "" : ", ") + driver.first;
    return names.empty() ? "none" : names;
}

SoapySDR::Device* open_device(const std::string& device)
{
    const auto arguments = SoapySDR::KwargsFromString(device);
    const auto driver = arguments.find("driver");
    if (driver == arguments.end() || driver->second.empty())
        refuse(device,
               "expected driver=NAME among the arguments; installed drivers: " + known_drivers());
    try {
        return SoapySDR::Device::make(arguments);
    } catch (const std::exception& error) {
        const bool is_known = SoapySDR::Registry::listFindFunctions().count(driver->second) != 0;
        refuse(device,
               is_known ? error.what()
                        : "no SoapySDR driver of that name; installed drivers: " + known_drivers() +
                              " (SOAPY_SDR_PLUGIN_PATH names further folders)");
    }
}

struct release {
    void operator()(SoapySDR::Device* device) const { SoapySDR::Device::unmake(device); }
};

class soapy_receiver_impl : public soapy_receiver
{
public:
    explicit soapy_receiver_impl(const soapy_source_settings& settings)
        : d_settings(settings),
          d_device(open_device(settings.device)),
          d_channels(settings.n_chains)
    {
        std::iota(d_channels.begin(), d_channels.end(), 0);
        check_channels();
        meet_rate();
        if (settings.frequency != 0.0)
            set_frequency(settings.frequency);
        if (settings.gain != leave_gain)
            set_gain(settings.gain, -1);
        try {
            d_stream = d_device->setupStream(SOAPY_SDR_RX,
                                             SOAPY_SDR_CF32,
                                             d_channels,
                                             SoapySDR::KwargsFromString(settings.stream));
        } catch (const std::exception& error) {
            refuse(settings.device,
                   std::string("cannot stream complex floats from ") +
                       std::to_string(settings.n_chains) + " channels: " + error.what());
        }
    }

    ~soapy_receiver_impl() override
    {
        if (d_stream)
            d_device->closeStream(d_stream);
    }

    int n_chains() const override { return d_settings.n_chains; }
    double sample_rate() const override { return d_rate; }
    std::string name() const override { return d_device->getHardwareKey(); }

    int packet_size() const override
    {
        const size_t size = d_device->getStreamMTU(d_stream);
        return int(std::min<size_t>(std::max<size_t>(size, 1), max_packet));
    }

    std::map<std::string, std::string> information() const override
    {
        auto info = d_device->getHardwareInfo();
        info["driver"] = d_device->getDriverKey();
        info["hardware"] = d_device->getHardwareKey();
        return info;
    }

    void start() override
    {
        // Several channels of a real device begin together only at a time of their own.
        if (n_chains() > 1 && d_device->hasHardwareTime()) {
            const long long time = d_device->getHardwareTime() + start_delay_ns;
            if (d_device->activateStream(d_stream, SOAPY_SDR_HAS_TIME, time) == 0)
                return;
        }
        if (const int error = d_device->activateStream(d_stream))
            throw std::runtime_error("device \"" + d_settings.device +
                                     "\" does not start: " + SoapySDR::errToStr(error));
    }

    void stop() override { d_device->deactivateStream(d_stream); }

    soapy_packet read(const std::vector<gr_complex*>& samples) override
    {
        soapy_packet packet;
        int flags = 0;
        long long time_ns = 0;
        const std::vector<void*> buffers(samples.begin(), samples.end());
        const int result =
            d_device->readStream(d_stream, buffers.data(), packet_size(), flags, time_ns, wait_us);
        packet.has_time = (flags & SOAPY_SDR_HAS_TIME) != 0;
        packet.time_ns = time_ns;
        if (result > 0) {
            packet.status = soapy_packet::kind::samples;
            packet.count = result;
        } else if (result == SOAPY_SDR_OVERFLOW || result == SOAPY_SDR_CORRUPTION ||
                   result == SOAPY_SDR_TIME_ERROR) {
            packet.status = soapy_packet::kind::overflow;
        } else if (result != 0 && result != SOAPY_SDR_TIMEOUT) {
            packet.status = soapy_packet::kind::failure;
            packet.error = SoapySDR::errToStr(result);
        }
        return packet;
    }

    void set_setting(const std::string& key, const std::string& value) override
    {
        d_device->writeSetting(key, value);
    }

    void set_frequency(double frequency) override
    {
        for (const size_t channel : d_channels)
            d_device->setFrequency(SOAPY_SDR_RX, channel, frequency);
    }

    void set_gain(double gain, int chain) override
    {
        if (chain >= n_chains())
            throw std::invalid_argument("chain: expected one of " + std::to_string(n_chains()) +
                                        ", got " + std::to_string(chain));
        for (const size_t channel : d_channels)
            if (chain < 0 || channel == size_t(chain))
                d_device->setGain(SOAPY_SDR_RX, channel, gain);
    }

private:
    void check_channels() const
    {
        const size_t has = d_device->getNumChannels(SOAPY_SDR_RX);
        if (d_settings.n_chains < 1)
            refuse(d_settings.device, "n_chains: expected at least 1");
        if (has < d_channels.size())
            refuse(d_settings.device,
                   "has " + std::to_string(has) + " receive channels, the plan needs " +
                       std::to_string(d_channels.size()) +
                       " RF chains; take an array of fewer subarrays or a larger device");
    }

    void meet_rate()
    {
        double wanted = d_settings.sample_rate;
        if (!(std::isfinite(wanted) && wanted >= 0))
            refuse(d_settings.device,
                   "sample_rate: expected Hz above 0, or 0 for the device's own");
        if (wanted == 0)
            wanted = d_device->getSampleRate(SOAPY_SDR_RX, 0);
        for (const size_t channel : d_channels) {
            try {
                d_device->setSampleRate(SOAPY_SDR_RX, channel, wanted);
            } catch (const std::exception& error) {
                refuse(d_settings.device, error.what());
            }
            d_rate = d_device->getSampleRate(SOAPY_SDR_RX, channel);
            if (!(std::abs(d_rate - wanted) <= 1e-6 * wanted)) {
                std::ostringstream why;
                why << "sample_rate: expected one that the device has, got " << wanted
                    << " Hz; the device takes " << d_rate << " Hz";
                refuse(d_settings.device, why.str());
            }
        }
    }

    const soapy_source_settings d_settings;
    std::unique_ptr<SoapySDR::Device, release> d_device;
    std::vector<size_t> d_channels;
    double d_rate = 0.0;
    SoapySDR::Stream* d_stream = nullptr;
};

} // namespace

bool soapy_receiver::is_available() { return true; }

std::unique_ptr<soapy_receiver> soapy_receiver::make(const soapy_source_settings& settings)
{
    return std::make_unique<soapy_receiver_impl>(settings);
}

#endif

} // namespace thzum
} // namespace gr
