/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "channel/hardware_chain.h"
#include <algorithm>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

std::optional<rapp_amplifier> make_amplifier(const std::optional<amplifier_settings>& settings)
{
    if (!settings)
        return std::nullopt;
    return rapp_amplifier(settings->smoothness, settings->saturation);
}

std::optional<iq_imbalance> make_mixer(const std::optional<iq_settings>& settings)
{
    if (!settings)
        return std::nullopt;
    return iq_imbalance(settings->amplitude_db, settings->phase_deg);
}

void check_kept(const std::string& name, bool is_same)
{
    if (!is_same)
        throw std::invalid_argument(name +
                                    ": expected the value set at the start, which cannot change "
                                    "while samples run; got another");
}

} // namespace

transmitter_chain::transmitter_chain(const transmitter_settings& settings, int n_users)
    : d_oscillators(settings.oscillator, n_users),
      d_amplifier(make_amplifier(settings.power_amplifier))
{
}

void transmitter_chain::apply(sample_block& block)
{
    if (!d_oscillators.is_idle())
        d_oscillators.apply(block);
    if (d_amplifier)
        d_amplifier->apply(block);
}

receiver_chain::receiver_chain(const receiver_settings& settings, int n_chains)
    : d_settings(settings),
      d_n_chains(n_chains),
      d_amplifier(make_amplifier(settings.low_noise_amplifier)),
      d_oscillators(settings.oscillator, n_chains),
      d_mixer(make_mixer(settings.iq_imbalance)),
      d_block(n_chains),
      d_resampled(n_chains)
{
    if (settings.sampling_offset_ppm)
        d_clock = std::make_unique<sampling_offset>(*settings.sampling_offset_ppm, n_chains);
    if (settings.converter)
        d_adc.emplace(*settings.converter, n_chains);
}

void receiver_chain::front_end(sample_block& block)
{
    if (d_amplifier)
        d_amplifier->apply(block);
    if (!d_oscillators.is_idle())
        d_oscillators.apply(block);
    if (d_mixer)
        d_mixer->apply(block);
}

void receiver_chain::convert(sample_block& block)
{
    if (d_adc)
        d_adc->apply(block);
}

receiver_chain::progress receiver_chain::process(const gr_complex* const* in,
                                                 int available,
                                                 gr_complex* const* out,
                                                 int room)
{
    progress done;
    if (d_clock)
        return resample(in, available, out, room);
    const int count = std::min(available, room);
    while (done.consumed < count) {
        const int n = std::min(count - done.consumed, sample_block::capacity);
        done.replaced += d_block.load(in, done.consumed, n);
        front_end(d_block);
        convert(d_block);
        d_block.store(out, done.consumed);
        done.consumed += n;
    }
    done.produced = done.consumed;
    return done;
}

// Takes no more than the outputs have room for, so that nothing due is left in the clock.
receiver_chain::progress receiver_chain::resample(const gr_complex* const* in,
                                                  int available,
                                                  gr_complex* const* out,
                                                  int room)
{
    progress done;
    for (;;) {
        const int n =
            std::min(available - done.consumed, d_clock->acceptable(room - done.produced));
        if (n <= 0)
            return done;
        done.replaced += d_block.load(in, done.consumed, n);
        done.consumed += n;
        front_end(d_block);
        d_clock->push(d_block);
        for (d_clock->pull(d_resampled); d_resampled.count > 0; d_clock->pull(d_resampled)) {
            convert(d_resampled);
            d_resampled.store(out, done.produced);
            done.produced += d_resampled.count;
        }
    }
}

void receiver_chain::update(const receiver_settings& settings)
{
    const auto &before = d_settings.oscillator, &after = settings.oscillator;
    check_kept("sampling_offset", settings.sampling_offset_ppm == d_settings.sampling_offset_ppm);
    check_kept("sample_rate", after.sample_rate == before.sample_rate);
    check_kept("frequency_offset_phase", after.phase == before.phase);
    check_kept("phase_noise_k3", after.k3 == before.k3);
    check_kept("phase_noise_flicker_low", after.flicker_low == before.flicker_low);
    check_kept("phase_noise_shared", after.shared == before.shared);
    check_kept("phase_noise_seed", after.seed == before.seed);
    d_amplifier = make_amplifier(settings.low_noise_amplifier);
    d_mixer = make_mixer(settings.iq_imbalance);
    d_oscillators.set_levels(after.k0, after.k2);
    if (after.offset != before.offset)
        d_oscillators.set_offset(after.offset);
    if (!settings.converter)
        d_adc.reset();
    else if (d_adc)
        d_adc->update(*settings.converter);
    else
        d_adc.emplace(*settings.converter, d_n_chains);
    d_settings = settings;
}

} // namespace thzum
} // namespace gr
