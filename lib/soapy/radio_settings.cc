/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "soapy/radio_settings.h"
#include "soapy/setup_command.h"
#include <gnuradio/thzum/uplink_channel.h>
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>
#include <sstream>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

[[noreturn]] void
refuse(const std::string& key, const std::string& expected, const std::string& got)
{
    throw std::invalid_argument(key + ": expected " + expected + ", got \"" + got + "\"");
}

double number(const std::string& key, const std::string& text, double low, double high)
{
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (text.empty() || *end != '\0' || !(value >= low && value <= high)) {
        std::ostringstream expected;
        expected << "a number from " << low << " to " << high;
        refuse(key, expected.str(), text);
    }
    return value;
}

int64_t integer(const std::string& key, const std::string& text, int64_t low, int64_t high)
{
    const double value = number(key, text, double(low), double(high));
    if (value != std::floor(value))
        refuse(key, "an integer", text);
    return int64_t(value);
}

bool flag(const std::string& key, const std::string& text)
{
    if (text == "true" || text == "1" || text == "True")
        return true;
    if (text != "false" && text != "0" && text != "False")
        refuse(key, "true or false", text);
    return false;
}

std::vector<std::string> words(const std::string& text)
{
    std::vector<std::string> list;
    std::istringstream rest(text);
    for (std::string word; std::getline(rest, word, ';');)
        list.push_back(word);
    return list;
}

// "1;3" or "none"
std::vector<int> chains(const std::string& key, const std::string& text, int n_chains)
{
    std::vector<int> list;
    if (text == "none")
        return list;
    for (const std::string& word : words(text))
        list.push_back(int(integer(key, word, 0, n_chains - 1)));
    return list;
}

// "100;-250;0;30", or "100" for all
std::vector<gr_complex> frequencies(const std::string& key, const std::string& text, int n_users)
{
    std::vector<gr_complex> list;
    for (const std::string& word : words(text))
        list.push_back(float(number(key, word, -1e12, 1e12)));
    if (list.size() != 1 && int(list.size()) != n_users)
        refuse(key, "one number or one for each of " + std::to_string(n_users) + " users", text);
    return list;
}

// Arguments that stand for several of the hardware's options.
bool set_short_hardware(option_map& hardware, const std::string& key, const std::string& value)
{
    if (key == "ppm") {
        hardware["sampling_offset"] = true;
        hardware["sampling_offset_ppm"] = number(key, value, -1000, 1000);
    } else if (key == "phase_noise_k2") {
        hardware["phase_noise"] = true;
        hardware["phase_noise_shared"] = true;
        hardware["phase_noise_k2"] = number(key, value, 0, 1e12);
    } else if (key == "user_phase_noise_k2") {
        hardware["user_phase_noise"] = true;
        hardware["user_phase_noise_k2"] = number(key, value, 0, 1e12);
    } else {
        return false;
    }
    return true;
}

// An option of uplink_channel::hardware_options() by its own name.
bool set_hardware(option_map& hardware, const std::string& key, const std::string& value)
{
    if (set_short_hardware(hardware, key, value))
        return true;
    static const auto options = uplink_channel::hardware_options();
    const auto found =
        std::find_if(options.begin(), options.end(), [&](auto& o) { return o.name == key; });
    if (found == options.end())
        return false;
    if (std::holds_alternative<bool>(found->default_value))
        hardware[key] = flag(key, value);
    else if (std::holds_alternative<double>(found->default_value))
        hardware[key] = number(key, value, -1e300, 1e300);
    else
        return false;
    return true;
}

void set_user_cfo(uplink_parameters& channel, const std::string& key, const std::string& value)
{
    channel.hardware["user_frequency_offset"] = true;
    channel.hardware["user_frequency_offset_hz"] = frequencies(key, value, channel.n_users);
}

bool set_own(radio_settings& settings, const std::string& key, const std::string& value)
{
    if (key == "rate")
        settings.setup.channel.sample_rate = number(key, value, 1e3, 1e10);
    else if (key == "pace")
        settings.pace = number(key, value, 1e-6, 100);
    else if (key == "room")
        settings.room = integer(key, value, 1 << 12, int64_t(1) << 30);
    else if (key == "packet")
        settings.packet = int(integer(key, value, 16, 65536));
    else if (key == "align")
        settings.align = integer(key, value, 1, int64_t(1) << 40);
    else if (key == "lead")
        settings.transmit_lead = number(key, value, 0, 10);
    else if (key == "noise_seed")
        settings.setup.channel.seed = uint64_t(integer(key, value, 0, int64_t(1) << 53));
    else if (key == "noise_var" || key == "snr_db")
        settings.setup.channel.noise_var = noise_var_of(key, value, settings.setup.channel.n_users);
    else if (key == "user_cfo")
        set_user_cfo(settings.setup.channel, key, value);
    else
        return change_fault(
                   settings.faults, key, value, settings.setup.channel.shape.n_subarrays) ||
               set_hardware(settings.setup.channel.hardware, key, value);
    return true;
}

std::string medium_name(const SoapySDR::Kwargs& arguments)
{
    const auto given = arguments.find("medium");
    const std::string name = given == arguments.end() ? "air" : given->second;
    const bool is_good = !name.empty() && name.size() <= 64 &&
                         std::all_of(name.begin(), name.end(), [](unsigned char c) {
                             return std::isalnum(c) || c == '-' || c == '_';
                         });
    if (!is_good)
        refuse("medium", "1 to 64 letters, digits, - and _", name);
    return name;
}

} // namespace

double noise_var_of(const std::string& key, const std::string& text, int n_users)
{
    if (key == "noise_var")
        return number(key, text, 0, 1e12);
    // Despreading divides the noise of a sample by the pilots' chips, one for each user.
    return n_users * std::pow(10.0, -number(key, text, -100, 200) / 10);
}

bool change_fault(radio_faults& faults,
                  const std::string& key,
                  const std::string& value,
                  int n_chains)
{
    if (key == "cfo")
        faults.cfo = number(key, value, -1e12, 1e12);
    else if (key == "gain_step_db")
        faults.gain_step_db = number(key, value, -100, 100);
    else if (key == "gain_step_period")
        faults.gain_step_period = number(key, value, 0, 1e6);
    else if (key == "gain_step_chain")
        faults.gain_step_chain = int(integer(key, value, -1, n_chains - 1));
    else if (key == "dead")
        faults.dead = chains(key, value, n_chains);
    else if (key == "drop_samples")
        faults.drop_samples = integer(key, value, 0, int64_t(1) << 40);
    else if (key == "drop_period")
        faults.drop_period = number(key, value, 0, 1e6);
    else if (key == "drop_silent")
        faults.is_drop_silent = flag(key, value);
    else
        return false;
    return true;
}

SoapySDR::ArgInfoList live_settings()
{
    SoapySDR::ArgInfoList list;
    for (const auto& [key, text] : {
             std::pair{ "snr_db", "SNR of a user's despread pilots per antenna in dB" },
             std::pair{ "noise_var", "antenna noise variance of a sample" },
             std::pair{ "cfo", "frequency offset in Hz" },
             std::pair{ "gain_step_db", "by which the gain is off in every other period, dB" },
             std::pair{ "gain_step_period", "in s, 0: none" },
             std::pair{ "gain_step_chain", "-1: all" },
             std::pair{ "dead", "chains that give zeros, such as 1;3, or none" },
             std::pair{ "drop_samples", "samples that vanish at a time" },
             std::pair{ "drop_period", "in s, 0: none" },
             std::pair{ "drop_silent", "true: timestamps do not show it" },
             std::pair{ "overflow", "lose so many samples now, with a report" },
         }) {
        SoapySDR::ArgInfo info;
        info.key = key;
        info.name = key;
        info.description = text;
        info.type = SoapySDR::ArgInfo::STRING;
        list.push_back(info);
    }
    return list;
}

radio_settings read_radio_settings(const SoapySDR::Kwargs& arguments)
{
    radio_settings settings;
    settings.medium = medium_name(arguments);
    const auto file = arguments.find("setup");
    settings.setup =
        file != arguments.end() ? radio_setup::load(file->second) : setup_by_command(arguments);
    settings.align = settings.setup.frame_length;
    static const std::set<std::string> others{ "driver", "medium", "setup", "label", "serial" };
    const bool is_by_command = file == arguments.end();
    for (const auto& [key, value] : arguments) {
        if (others.count(key) || (is_by_command && setup_keys().count(key)))
            continue;
        if (!set_own(settings, key, value))
            throw std::invalid_argument(
                key + ": the virtual radio has no such argument" +
                (setup_keys().count(key) ? std::string(" beside setup=") : "") +
                "; docs/radio.md lists them");
    }
    if (settings.room & (settings.room - 1))
        refuse("room", "a power of two", std::to_string(settings.room));
    return settings;
}

} // namespace thzum
} // namespace gr
