/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "soapy/radio_settings.h"
#include "soapy/receive_stream.h"
#include "soapy/transmit_stream.h"
#include <SoapySDR/Device.hpp>
#include <SoapySDR/Errors.h>
#include <SoapySDR/Formats.h>
#include <SoapySDR/Registry.hpp>
#include <SoapySDR/Time.hpp>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <numeric>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

constexpr float full_scale_cs16 = 32768.0f;

struct stream {
    int direction;
    bool is_cs16;
    std::vector<size_t> channels;
    std::unique_ptr<transmit_stream> transmitter;
    std::unique_ptr<receive_stream> receiver;
    std::vector<std::vector<gr_complex>> samples; // of all chains, or of users to be converted
    // What a call hands on, kept so that no call allocates.
    std::vector<gr_complex*> chains;
    std::vector<const gr_complex*> users;
    std::vector<float> gains;
};

void to_cs16(const gr_complex* from, int count, int16_t* to)
{
    const auto* values = reinterpret_cast<const float*>(from);
    for (int i = 0; i < 2 * count; i++)
        to[i] = int16_t(
            std::lround(std::min(std::max(values[i] * full_scale_cs16, -32768.0f), 32767.0f)));
}

void from_cs16(const int16_t* from, int count, gr_complex* to)
{
    auto* values = reinterpret_cast<float*>(to);
    for (int i = 0; i < 2 * count; i++)
        values[i] = from[i] / full_scale_cs16;
}

/*! The device that SoapySDR sees: users' transmitters, and an array's RF chains behind a channel.
 */
class virtual_radio : public SoapySDR::Device
{
public:
    explicit virtual_radio(const SoapySDR::Kwargs& arguments)
        : d_settings(read_radio_settings(arguments)),
          d_rate(d_settings.setup.channel.sample_rate),
          d_noise_var(d_settings.setup.channel.noise_var),
          d_transmit_gain(n_users(), 0.0),
          d_receive_gain(n_chains(), 0.0),
          d_transmit_frequency(d_settings.setup.carrier_frequency),
          d_receive_frequency(d_settings.setup.carrier_frequency)
    {
    }

    std::string getDriverKey() const override { return "thzum"; }
    std::string getHardwareKey() const override { return "THz virtual radio"; }

    SoapySDR::Kwargs getHardwareInfo() const override
    {
        std::string beams;
        for (const int beam : d_settings.setup.beams)
            beams += (beams.empty() ? "" : ";") + std::to_string(beam);
        return { { "beams", beams },
                 { "medium", d_settings.medium },
                 { "users", std::to_string(n_users()) },
                 { "chains", std::to_string(n_chains()) },
                 { "frame_length", std::to_string(d_settings.setup.frame_length) },
                 { "pace", std::to_string(d_settings.pace) } };
    }

    size_t getNumChannels(const int direction) const override
    {
        return direction == SOAPY_SDR_TX ? n_users() : n_chains();
    }

    bool getFullDuplex(const int, const size_t) const override { return true; }

    std::vector<std::string> getStreamFormats(const int, const size_t) const override
    {
        return { SOAPY_SDR_CF32, SOAPY_SDR_CS16 };
    }

    std::string getNativeStreamFormat(const int, const size_t, double& full_scale) const override
    {
        full_scale = 1.0;
        return SOAPY_SDR_CF32;
    }

    SoapySDR::Stream* setupStream(const int direction,
                                  const std::string& format,
                                  const std::vector<size_t>& channels,
                                  const SoapySDR::Kwargs&) override
    {
        std::lock_guard<std::mutex> lock(d_mutex);
        if (format != SOAPY_SDR_CF32 && format != SOAPY_SDR_CS16)
            throw std::runtime_error("format: expected CF32 or CS16, got " + format);
        auto made = std::make_unique<stream>();
        made->direction = direction;
        made->is_cs16 = format == SOAPY_SDR_CS16;
        made->channels = channels.empty() ? std::vector<size_t>{ 0 } : channels;
        for (const size_t channel : made->channels)
            if (channel >= getNumChannels(direction))
                throw std::runtime_error("channel: expected below " +
                                         std::to_string(getNumChannels(direction)) + ", got " +
                                         std::to_string(channel));
        if (direction == SOAPY_SDR_TX)
            open_transmitter(*made);
        else
            open_receiver(*made);
        d_n_streams++;
        return reinterpret_cast<SoapySDR::Stream*>(made.release());
    }

    void closeStream(SoapySDR::Stream* handle) override
    {
        std::lock_guard<std::mutex> lock(d_mutex);
        auto* closed = as_stream(handle);
        if (closed->receiver.get() == d_receiver)
            d_receiver = nullptr;
        delete closed;
        if (--d_n_streams == 0)
            d_air.reset();
    }

    size_t getStreamMTU(SoapySDR::Stream* handle) const override
    {
        const auto& s = *as_stream(handle);
        return s.receiver ? s.receiver->packet() : s.transmitter->max_count();
    }

    int activateStream(SoapySDR::Stream* handle,
                       const int flags,
                       const long long time_ns,
                       const size_t) override
    {
        auto& s = *as_stream(handle);
        const int64_t time = flags & SOAPY_SDR_HAS_TIME ? tick(time_ns) : -1;
        if (s.receiver)
            s.receiver->start(time);
        else
            s.transmitter->start(time);
        return 0;
    }

    int deactivateStream(SoapySDR::Stream* handle, const int, const long long) override
    {
        if (auto& s = *as_stream(handle); s.transmitter)
            s.transmitter->stop();
        return 0;
    }

    int readStream(SoapySDR::Stream* handle,
                   void* const* buffers,
                   const size_t count,
                   int& flags,
                   long long& time_ns,
                   const long timeout_us) override
    {
        auto& s = *as_stream(handle);
        if (!s.receiver)
            return SOAPY_SDR_NOT_SUPPORTED;
        for (size_t i = 0; i < s.channels.size() && !s.is_cs16; i++)
            s.chains[s.channels[i]] = static_cast<gr_complex*>(buffers[i]);
        const auto result = s.receiver->read(
            s.chains.data(), int(std::min<size_t>(count, s.receiver->packet())), timeout_us);
        flags = SOAPY_SDR_HAS_TIME;
        time_ns = SoapySDR::ticksToTimeNs(result.time, d_rate);
        if (result.is_overflow)
            return SOAPY_SDR_OVERFLOW;
        if (result.count == 0)
            return SOAPY_SDR_TIMEOUT;
        for (size_t i = 0; i < s.channels.size() && s.is_cs16; i++)
            to_cs16(s.chains[s.channels[i]], result.count, static_cast<int16_t*>(buffers[i]));
        return result.count;
    }

    int writeStream(SoapySDR::Stream* handle,
                    const void* const* buffers,
                    const size_t count,
                    int& flags,
                    const long long time_ns,
                    const long timeout_us) override
    {
        auto& s = *as_stream(handle);
        if (!s.transmitter)
            return SOAPY_SDR_NOT_SUPPORTED;
        const int taken = int(std::min<size_t>(count, s.transmitter->max_count()));
        for (size_t i = 0; i < s.channels.size(); i++) {
            if (s.is_cs16)
                from_cs16(static_cast<const int16_t*>(buffers[i]), taken, s.samples[i].data());
            s.users[i] =
                s.is_cs16 ? s.samples[i].data() : static_cast<const gr_complex*>(buffers[i]);
            s.gains[i] = float(std::pow(10.0, d_transmit_gain[s.channels[i]] / 20));
        }
        const int64_t time = flags & SOAPY_SDR_HAS_TIME ? tick(time_ns) : -1;
        const int sent =
            taken == 0 ? 0 : s.transmitter->write(s.users, taken, time, s.gains, timeout_us);
        if ((flags & SOAPY_SDR_END_BURST) && sent == int(count))
            s.transmitter->end();
        return sent == 0 && taken > 0 ? SOAPY_SDR_TIMEOUT : sent;
    }

    int readStreamStatus(SoapySDR::Stream* handle,
                         size_t& channels,
                         int& flags,
                         long long& time_ns,
                         const long timeout_us) override
    {
        auto& s = *as_stream(handle);
        if (!s.transmitter)
            return SOAPY_SDR_NOT_SUPPORTED;
        transmit_event event;
        if (!s.transmitter->next_event(event, timeout_us))
            return SOAPY_SDR_TIMEOUT;
        channels = 0;
        for (const size_t channel : s.channels)
            channels |= size_t(1) << channel;
        flags = SOAPY_SDR_HAS_TIME;
        time_ns = SoapySDR::ticksToTimeNs(event.time, d_rate);
        return event.what == transmit_event::kind::late ? SOAPY_SDR_TIME_ERROR
                                                        : SOAPY_SDR_UNDERFLOW;
    }

    std::vector<std::string> listAntennas(const int direction, const size_t) const override
    {
        return { direction == SOAPY_SDR_TX ? "TX" : "RX" };
    }
    void setAntenna(const int, const size_t, const std::string&) override {}
    std::string getAntenna(const int direction, const size_t channel) const override
    {
        return listAntennas(direction, channel)[0];
    }

    std::vector<std::string> listGains(const int, const size_t) const override { return { "RF" }; }
    SoapySDR::Range getGainRange(const int, const size_t, const std::string&) const override
    {
        return { -100, 100 };
    }
    SoapySDR::Range getGainRange(const int, const size_t) const override { return { -100, 100 }; }

    void setGain(const int direction, const size_t channel, const double value) override
    {
        std::lock_guard<std::mutex> lock(d_mutex);
        if (!(std::abs(value) <= 100))
            throw std::runtime_error("gain: expected -100 to 100 dB, got " + std::to_string(value));
        (direction == SOAPY_SDR_TX ? d_transmit_gain : d_receive_gain).at(channel) = value;
        if (direction == SOAPY_SDR_RX && d_receiver)
            d_receiver->set_gain(int(channel), value);
    }
    void setGain(const int direction,
                 const size_t channel,
                 const std::string&,
                 const double value) override
    {
        setGain(direction, channel, value);
    }
    double getGain(const int direction, const size_t channel) const override
    {
        return (direction == SOAPY_SDR_TX ? d_transmit_gain : d_receive_gain).at(channel);
    }
    double getGain(const int direction, const size_t channel, const std::string&) const override
    {
        return getGain(direction, channel);
    }

    std::vector<std::string> listFrequencies(const int, const size_t) const override
    {
        return { "RF" };
    }
    SoapySDR::RangeList getFrequencyRange(const int, const size_t) const override
    {
        const double carrier = d_settings.setup.carrier_frequency;
        return { { carrier - d_rate / 2, carrier + d_rate / 2 } };
    }
    SoapySDR::RangeList
    getFrequencyRange(const int direction, const size_t channel, const std::string&) const override
    {
        return getFrequencyRange(direction, channel);
    }

    void setFrequency(const int direction,
                      const size_t channel,
                      const double frequency,
                      const SoapySDR::Kwargs&) override
    {
        std::lock_guard<std::mutex> lock(d_mutex);
        const auto range = getFrequencyRange(direction, channel)[0];
        if (!(frequency >= range.minimum() && frequency <= range.maximum()))
            throw std::runtime_error("frequency: this radio covers " +
                                     std::to_string(range.minimum() * 1e-9) + " to " +
                                     std::to_string(range.maximum() * 1e-9) +
                                     " GHz, its array's carrier and half the "
                                     "sample rate around it; got " +
                                     std::to_string(frequency * 1e-9) + " GHz");
        (direction == SOAPY_SDR_TX ? d_transmit_frequency : d_receive_frequency) = frequency;
        if (direction == SOAPY_SDR_RX && d_receiver)
            d_receiver->set_tuning(d_settings.setup.carrier_frequency - frequency);
    }
    void setFrequency(const int direction,
                      const size_t channel,
                      const std::string&,
                      const double frequency,
                      const SoapySDR::Kwargs& arguments) override
    {
        setFrequency(direction, channel, frequency, arguments);
    }
    double getFrequency(const int direction, const size_t) const override
    {
        return direction == SOAPY_SDR_TX ? d_transmit_frequency : d_receive_frequency;
    }
    double
    getFrequency(const int direction, const size_t channel, const std::string&) const override
    {
        return getFrequency(direction, channel);
    }

    void setSampleRate(const int, const size_t, const double rate) override
    {
        std::lock_guard<std::mutex> lock(d_mutex);
        if (rate == d_rate)
            return;
        if (!(rate >= 1e3 && rate <= 1e10))
            throw std::runtime_error("sample rate: expected 1 kHz to 10 GHz, got " +
                                     std::to_string(rate) + " Hz");
        if (d_n_streams > 0)
            throw std::runtime_error("sample rate: cannot change from " + std::to_string(d_rate) +
                                     " to " + std::to_string(rate) +
                                     " Hz while streams are open, of this or the other direction");
        d_rate = rate;
    }
    double getSampleRate(const int, const size_t) const override { return d_rate; }
    SoapySDR::RangeList getSampleRateRange(const int, const size_t) const override
    {
        return { { 1e3, 1e10 } };
    }

    void setBandwidth(const int, const size_t, const double) override {}
    double getBandwidth(const int, const size_t) const override { return d_rate; }

    bool hasHardwareTime(const std::string& what) const override { return what.empty(); }
    long long getHardwareTime(const std::string&) const override
    {
        std::lock_guard<std::mutex> lock(d_mutex);
        if (d_receiver)
            return SoapySDR::ticksToTimeNs(d_receiver->clock(), d_rate);
        return SoapySDR::ticksToTimeNs(medium::now(d_rate * d_settings.pace), d_rate);
    }

    SoapySDR::ArgInfoList getSettingInfo() const override { return live_settings(); }

    void writeSetting(const std::string& key, const std::string& value) override
    {
        std::lock_guard<std::mutex> lock(d_mutex);
        if (key == "overflow") {
            if (d_receiver)
                d_receiver->lose(std::atoll(value.c_str()));
        } else if (key == "snr_db" || key == "noise_var") {
            d_noise_var = noise_var_of(key, value, n_users());
            if (d_receiver)
                d_receiver->set_noise_var(d_noise_var);
        } else if (change_fault(d_settings.faults, key, value, n_chains())) {
            if (d_receiver)
                d_receiver->set_faults(d_settings.faults);
        } else {
            throw std::invalid_argument(key + ": the virtual radio has no setting of this name "
                                              "that can change; docs/radio.md lists them");
        }
        d_written[key] = value;
    }

    std::string readSetting(const std::string& key) const override
    {
        std::lock_guard<std::mutex> lock(d_mutex);
        if (key == "noise_var")
            return std::to_string(d_noise_var);
        const auto found = d_written.find(key);
        return found == d_written.end() ? "" : found->second;
    }

private:
    static stream* as_stream(SoapySDR::Stream* handle) { return reinterpret_cast<stream*>(handle); }

    int n_users() const { return d_settings.setup.channel.n_users; }
    int n_chains() const { return d_settings.setup.channel.shape.n_subarrays; }
    int64_t tick(long long time_ns) const { return SoapySDR::timeNsToTicks(time_ns, d_rate); }

    std::shared_ptr<medium> air()
    {
        if (!d_air)
            d_air = std::make_shared<medium>(medium_settings{ d_settings.medium,
                                                              n_users(),
                                                              d_rate,
                                                              d_settings.pace,
                                                              d_settings.room,
                                                              d_settings.setup.plan });
        return d_air;
    }

    void open_transmitter(stream& s)
    {
        const std::vector<int> users(s.channels.begin(), s.channels.end());
        s.transmitter = std::make_unique<transmit_stream>(
            air(), users, d_settings.align, d_settings.transmit_lead);
        if (s.is_cs16)
            s.samples.assign(users.size(), std::vector<gr_complex>(s.transmitter->max_count()));
        s.users.resize(users.size());
        s.gains.resize(users.size());
    }

    void open_receiver(stream& s)
    {
        if (d_receiver)
            throw std::runtime_error("the virtual radio has one receive stream at a time");
        auto settings = d_settings;
        scale_time(settings.setup.channel, d_rate);
        settings.setup.channel.noise_var = d_noise_var;
        s.receiver = std::make_unique<receive_stream>(air(), settings);
        s.samples.assign(n_chains(), std::vector<gr_complex>(s.receiver->packet()));
        for (auto& chain : s.samples)
            s.chains.push_back(chain.data());
        d_receiver = s.receiver.get();
        for (int chain = 0; chain < n_chains(); chain++)
            d_receiver->set_gain(chain, d_receive_gain[chain]);
        d_receiver->set_tuning(d_settings.setup.carrier_frequency - d_receive_frequency);
    }

    // The same paths at another sample rate.
    static void scale_time(uplink_parameters& channel, double rate)
    {
        const double factor = rate / channel.sample_rate;
        for (double& delay : channel.delay)
            delay *= factor;
        for (double& doppler : channel.doppler)
            doppler /= factor;
        channel.coherence_samples = std::llround(double(channel.coherence_samples) * factor);
        channel.sample_rate = rate;
    }

    radio_settings d_settings;
    mutable std::mutex d_mutex;
    std::shared_ptr<medium> d_air; // from the first stream on
    int d_n_streams = 0;
    receive_stream* d_receiver = nullptr; // of the stream that is open
    double d_rate;
    double d_noise_var;
    std::vector<double> d_transmit_gain, d_receive_gain;
    double d_transmit_frequency, d_receive_frequency;
    SoapySDR::Kwargs d_written;
};

SoapySDR::KwargsList find_radio(const SoapySDR::Kwargs& arguments)
{
    const auto driver = arguments.find("driver");
    if (driver == arguments.end() || driver->second != "thzum")
        return {};
    auto found = arguments;
    found["label"] = "THz virtual radio";
    return { found };
}

SoapySDR::Device* make_radio(const SoapySDR::Kwargs& arguments)
{
    return new virtual_radio(arguments);
}

const SoapySDR::Registry registration("thzum", &find_radio, &make_radio, SOAPY_SDR_ABI_VERSION);

} // namespace

} // namespace thzum
} // namespace gr
