/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "channel/hardware_chain.h"
#include <cmath>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

constexpr double largest = 1e30;
constexpr double largest_seed = 9007199254740991.0; // 2^53 - 1, which a double holds exactly

void add_amplifier(std::vector<option_info>& options,
                   const std::string& name,
                   const std::string& prefix)
{
    options.insert(
        options.end(),
        { { name, false, "Rapp amplifier on" },
          { prefix + "_smoothness", 2.0, "p of the Rapp model, above 0; 2 to 3 is common" },
          { prefix + "_input_backoff_db", 10.0, "saturation power over input power, in dB" },
          { prefix + "_input_power", 1.0, "mean |x|^2 that the back-off refers to, above 0" } });
}

void add_phase_noise(std::vector<option_info>& options, const std::string& name)
{
    options.insert(options.end(),
                   { { name, false, "oscillator phase noise k0 + k2/f^2 + k3/|f|^3 on" },
                     { name + "_k0", 0.0, "floor in rad^2/Hz" },
                     { name + "_k2", 0.0, "Wiener part in rad^2 Hz; the linewidth is 2 pi k2" },
                     { name + "_k3", 0.0, "flicker part in rad^2 Hz^2" },
                     { name + "_flicker_low",
                       0.0,
                       "lowest frequency of the k3 law in Hz; 0 is sample_rate / 1e6" },
                     { name + "_shared", false, "one oscillator for all, not one each" },
                     { name + "_seed", 0.0, "of the noise, 0 to 2^53 - 1" } });
}

// Limits of option_reader are inclusive; what must be above 0 starts at a number too small to
// matter.
constexpr double above_zero = 1e-30;

std::optional<amplifier_settings>
read_amplifier(const option_reader& options, const std::string& name, const std::string& prefix)
{
    amplifier_settings settings;
    settings.smoothness = options.number(prefix + "_smoothness", 1e-3, 1e3);
    const double backoff = options.number(prefix + "_input_backoff_db", -200, 200);
    const double power = options.number(prefix + "_input_power", above_zero, largest);
    settings.saturation = std::sqrt(power) * std::pow(10.0, backoff / 20.0);
    if (!options.flag(name))
        return std::nullopt;
    return settings;
}

void read_phase_noise(const option_reader& options,
                      const std::string& name,
                      oscillator_settings& settings)
{
    const double k0 = options.number(name + "_k0", 0, largest);
    const double k2 = options.number(name + "_k2", 0, largest);
    const double k3 = options.number(name + "_k3", 0, largest);
    settings.flicker_low = options.number(name + "_flicker_low", 0, settings.sample_rate / 5);
    settings.shared = options.flag(name + "_shared");
    const double seed = options.number(name + "_seed", 0, largest_seed);
    if (seed != std::floor(seed))
        throw std::invalid_argument(name + "_seed: expected an integer, got " +
                                    std::to_string(seed));
    settings.seed = uint64_t(seed);
    if (options.flag(name)) {
        settings.k0 = k0;
        settings.k2 = k2;
        settings.k3 = k3;
    }
}

double checked_sample_rate(double sample_rate)
{
    if (!(std::isfinite(sample_rate) && sample_rate > 0))
        throw std::invalid_argument("sample_rate: expected a finite number above 0, got " +
                                    std::to_string(sample_rate));
    return sample_rate;
}

} // namespace

std::vector<option_info> receiver_options()
{
    std::vector<option_info> options;
    add_amplifier(options, "low_noise_amplifier", "lna");
    options.insert(options.end(),
                   { { "frequency_offset", false, "carrier frequency offset on" },
                     { "frequency_offset_hz", 0.0, "offset in Hz" },
                     { "frequency_offset_phase", 0.0, "phase of the first sample in rad" } });
    add_phase_noise(options, "phase_noise");
    options.insert(
        options.end(),
        { { "iq_imbalance", false, "I/Q imbalance on" },
          { "iq_amplitude_db", 0.0, "gain of Q over I in dB, -60 to 60" },
          { "iq_phase_deg", 0.0, "phase error in degrees, -90 to 90" },
          { "sampling_offset", false, "sampling clock offset on" },
          { "sampling_offset_ppm", 0.0, "how much the clock runs fast, in ppm, -1e5 to 1e5" },
          { "adc", false, "analogue-to-digital converter on" },
          { "adc_bits", 6.0, "of I and of Q, 1 to 12" },
          { "adc_loading", 0.0, "full scale over standard deviation; 0 is the optimum for noise" },
          { "adc_power", 1.0, "mean |x|^2 at the start, or throughout with a fixed gain, above 0" },
          { "adc_agc_samples",
            0.0,
            "time constant of the gain control in samples, at least 1; 0 is a fixed gain" } });
    return options;
}

std::vector<option_info> transmitter_options()
{
    std::vector<option_info> options;
    options.insert(options.end(),
                   { { "user_frequency_offset", false, "users' carrier frequency offsets on" },
                     { "user_frequency_offset_hz",
                       std::vector<gr_complex>{ 0.0f },
                       "offsets in Hz, one for all users or one for each" } });
    add_phase_noise(options, "user_phase_noise");
    add_amplifier(options, "power_amplifier", "pa");
    return options;
}

receiver_settings read_receiver(const option_reader& options, double sample_rate)
{
    receiver_settings settings;
    settings.low_noise_amplifier = read_amplifier(options, "low_noise_amplifier", "lna");
    auto& oscillator = settings.oscillator;
    oscillator.sample_rate = checked_sample_rate(sample_rate);
    const double offset = options.number("frequency_offset_hz", -largest, largest);
    const double phase = options.number("frequency_offset_phase", -1e6, 1e6);
    const bool is_offset = options.flag("frequency_offset");
    oscillator.offset = { is_offset ? offset : 0.0 };
    oscillator.phase = is_offset ? phase : 0.0;
    read_phase_noise(options, "phase_noise", oscillator);
    const iq_settings iq{ options.number("iq_amplitude_db", -60, 60),
                          options.number("iq_phase_deg", -90, 90) };
    if (options.flag("iq_imbalance"))
        settings.iq_imbalance = iq;
    const double ppm = options.number("sampling_offset_ppm", -1e5, 1e5);
    if (options.flag("sampling_offset"))
        settings.sampling_offset_ppm = ppm;
    const adc_settings converter{ options.integer("adc_bits", 1, 12),
                                  options.number("adc_loading", 0, 1e6),
                                  options.number("adc_power", above_zero, largest),
                                  options.number("adc_agc_samples", 0, 1e15) };
    if (converter.agc_samples > 0)
        options.number("adc_agc_samples", 1, 1e15);
    if (options.flag("adc"))
        settings.converter = converter;
    return settings;
}

transmitter_settings read_transmitter(const option_reader& options, double sample_rate, int n_users)
{
    transmitter_settings settings;
    settings.power_amplifier = read_amplifier(options, "power_amplifier", "pa");
    auto& oscillator = settings.oscillator;
    oscillator.sample_rate = checked_sample_rate(sample_rate);
    oscillator.is_transmitter = true;
    const auto& offsets = options.values("user_frequency_offset_hz");
    if (offsets.size() != 1 && offsets.size() != size_t(n_users))
        throw std::invalid_argument(
            "user_frequency_offset_hz: expected one number or one for each of " +
            std::to_string(n_users) + " users, got " + std::to_string(offsets.size()));
    for (const auto& value : offsets)
        if (!(std::isfinite(value.real()) && value.imag() == 0))
            throw std::invalid_argument(
                "user_frequency_offset_hz: expected finite real numbers, got another");
    if (options.flag("user_frequency_offset"))
        for (const auto& value : offsets)
            oscillator.offset.push_back(double(value.real()));
    read_phase_noise(options, "user_phase_noise", oscillator);
    return settings;
}

} // namespace thzum
} // namespace gr
