/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/rotation.h"
#include "soapy/receive_stream.h"
#include <SoapySDR/Logger.hpp>
#include <algorithm>
#include <cmath>
#include <utility>

namespace gr {
namespace thzum {

namespace {

double clock_rate(const uplink_parameters& channel)
{
    const auto has = channel.hardware.find("sampling_offset");
    const auto ppm = channel.hardware.find("sampling_offset_ppm");
    if (has == channel.hardware.end() || !std::get<bool>(has->second) ||
        ppm == channel.hardware.end())
        return 1.0;
    return 1.0 + 1e-6 * std::get<double>(ppm->second);
}

} // namespace

receive_stream::receive_stream(std::shared_ptr<medium> air, const radio_settings& settings)
    : d_air(air),
      d_setup(settings.setup),
      d_rate(settings.setup.channel.sample_rate),
      d_packet(settings.packet),
      d_patience(air->settings().room / 2),
      d_clock_rate(clock_rate(settings.setup.channel)),
      d_channel(uplink_channel::make(settings.setup.channel)),
      d_faults(settings.faults),
      d_gain_db(n_chains(), 0.0),
      d_gains(n_chains()),
      d_input(settings.setup.channel.n_users, std::vector<gr_complex>(d_packet)),
      d_output(n_chains(), std::vector<gr_complex>(4 * d_packet + 1024))
{
    for (auto& user : d_input)
        d_x.push_back(user.data());
    d_y.resize(n_chains());
}

void receive_stream::start(int64_t time)
{
    std::lock_guard<std::mutex> lock(d_mutex);
    const double noise_var = d_channel->noise_var();
    d_channel = uplink_channel::make(d_setup.channel);
    d_channel->set_noise_var(noise_var);
    d_next = time >= 0 ? time : d_air->now();
    // Whole frames, so that realisations of the channel change between them.
    if (const int64_t frame = d_setup.frame_length; d_setup.channel.coherence_samples > 0)
        d_next = (d_next + frame - 1) / frame * frame;
    d_clock_zero = d_last_drop = d_next;
    d_skipped = d_next;
    d_sample_time = d_next - d_channel->latency();
    d_ready = 0;
    d_phase = 0.0;
    set_schedule();
}

void receive_stream::set_schedule()
{
    auto schedule = d_setup.channel.schedule;
    int64_t frame = 0;
    for (const int64_t length : schedule.lengths)
        frame += length;
    schedule.start = (schedule.start - d_skipped) % frame;
    d_channel->set_schedule(schedule, d_channel->time());
}

int64_t receive_stream::clock() const
{
    std::lock_guard<std::mutex> lock(d_mutex);
    return d_clock_zero + std::llround(double(d_air->now() - d_clock_zero) * d_clock_rate);
}

void receive_stream::set_faults(const radio_faults& faults)
{
    std::lock_guard<std::mutex> lock(d_mutex);
    d_faults = faults;
}

void receive_stream::set_noise_var(double noise_var)
{
    std::lock_guard<std::mutex> lock(d_mutex);
    d_channel->set_noise_var(noise_var);
}

void receive_stream::set_tuning(double offset)
{
    std::lock_guard<std::mutex> lock(d_mutex);
    d_tuning = offset;
}

void receive_stream::set_gain(int chain, double gain_db)
{
    std::lock_guard<std::mutex> lock(d_mutex);
    d_gain_db.at(chain) = gain_db;
}

void receive_stream::lose(int64_t count)
{
    std::lock_guard<std::mutex> lock(d_mutex);
    d_to_lose += count;
}

// At least \p count samples, after which a realisation of the channel still begins with a frame.
int64_t receive_stream::whole_realisations(int64_t count) const
{
    const int64_t step = std::max<int64_t>(d_setup.channel.coherence_samples, 1);
    return (count + step - 1) / step * step;
}

// Samples that the fault drop_samples takes at this time.
int64_t receive_stream::due_drop()
{
    if (d_faults.drop_samples == 0 || d_faults.drop_period == 0)
        return 0;
    if (double(d_next - d_last_drop) < d_faults.drop_period * d_rate)
        return 0;
    d_last_drop = d_next;
    return d_faults.drop_samples;
}

// The medium goes on by \p lost samples that the channel never sees.
receive_result receive_stream::overflow(int64_t lost, bool is_silent)
{
    d_next += lost;
    d_skipped += lost;
    set_schedule();
    if (!is_silent) {
        SoapySDR::log(SOAPY_SDR_SSI, "O");
        d_sample_time += std::llround(double(lost) * d_clock_rate);
    }
    receive_result result;
    result.is_overflow = !is_silent;
    result.time = d_sample_time;
    return result;
}

void receive_stream::chain_gains(int64_t time, std::vector<float>& gains) const
{
    const double period = d_faults.gain_step_period * d_rate;
    const bool is_stepped = period >= 1 && (time / int64_t(period)) % 2 != 0;
    for (int s = 0; s < int(gains.size()); s++) {
        const bool is_hit = d_faults.gain_step_chain < 0 || d_faults.gain_step_chain == s;
        const double db = d_gain_db[s] + (is_stepped && is_hit ? d_faults.gain_step_db : 0.0);
        gains[s] = float(std::pow(10.0, db / 20));
    }
    for (const int chain : d_faults.dead)
        gains[chain] = 0;
}

// What the receiver's hardware does to the samples from \p first on.
void receive_stream::spoil(int first, int count)
{
    const double frequency = (d_faults.cfo + d_tuning) / d_rate;
    chain_gains(d_next, d_gains);
    for (int s = 0; s < n_chains(); s++) {
        gr_complex* samples = d_output[s].data() + first;
        if (frequency != 0)
            rotate(samples, count, d_phase, frequency);
        if (d_gains[s] != 1.0f)
            std::for_each(samples, samples + count, [&](gr_complex& x) { x *= d_gains[s]; });
    }
    d_phase += frequency * count;
    d_phase -= std::floor(d_phase);
}

// \p count samples of the medium through the channel.
void receive_stream::pass(int count)
{
    for (size_t k = 0; k < d_input.size(); k++)
        d_air->read(int(k), d_next, d_input[k].data(), count);
    for (int s = 0; s < n_chains(); s++)
        d_y[s] = d_output[s].data() + d_ready;
    const auto done =
        d_channel->process(d_x.data(), count, d_y.data(), int(d_output[0].size()) - d_ready);
    spoil(d_ready, done.produced);
    d_next += done.consumed;
    d_ready += done.produced;
}

void receive_stream::hand_on(gr_complex* const* samples, int count)
{
    for (int s = 0; s < n_chains(); s++) {
        auto& chain = d_output[s];
        std::copy_n(chain.begin(), count, samples[s]);
        std::copy(chain.begin() + count, chain.begin() + d_ready, chain.begin());
    }
    d_ready -= count;
    d_sample_time += count;
}

receive_result receive_stream::read(gr_complex* const* samples, int count, long timeout_us)
{
    count = std::min(count, d_packet);
    d_air->wait(d_next + std::max(count - d_ready, 0), timeout_us);
    std::lock_guard<std::mutex> lock(d_mutex);
    const int64_t waiting = d_air->now() - d_next;
    int64_t lost = std::exchange(d_to_lose, 0);
    if (waiting > d_patience)
        lost = std::max(lost, whole_realisations(waiting));
    if (lost > 0)
        return overflow(lost, false);
    if (const int64_t drop = due_drop()) {
        const auto result = overflow(drop, d_faults.is_drop_silent);
        if (result.is_overflow)
            return result;
    }
    const int64_t available = d_air->now() - d_next;
    if (d_ready < count && available > 0)
        pass(int(std::min<int64_t>({ available, count - d_ready, int64_t(d_packet) })));
    receive_result result;
    result.count = std::min(count, d_ready);
    result.time = d_sample_time;
    hand_on(samples, result.count);
    return result;
}

} // namespace thzum
} // namespace gr
