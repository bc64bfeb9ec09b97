/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/rotation.h"
#include "sync/frame_synchronizer_impl.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

// From here on powers of samples could leave the float range.
constexpr float max_sample = 1e15f;

constexpr int margin_samples = 4;

bool is_usable(gr_complex value)
{
    return std::abs(value.real()) < max_sample && std::abs(value.imag()) < max_sample;
}

const synchronizer_settings& checked(const synchronizer_settings& settings)
{
    const auto refuse = [](const char* name, const char* expected, double got) {
        throw std::invalid_argument(std::string("frame_sync: ") + name + ": expected " + expected +
                                    ", got " + std::to_string(got));
    };
    if (settings.n_chains < 1 || settings.n_chains > 4096)
        refuse("n_chains", "1 to 4096 RF chains", settings.n_chains);
    if (!(settings.max_frequency >= 0.0 && settings.max_frequency <= 0.45))
        refuse("max_frequency", "0 to 0.45 cycles per symbol", settings.max_frequency);
    if (!(settings.false_alarm > 0.0 && settings.false_alarm < 0.5))
        refuse("false_alarm", "a probability above 0 and below 0.5", settings.false_alarm);
    if (!(std::abs(settings.clock_offset) <= 1e-3))
        refuse("clock_offset", "-1e-3 to 1e-3", settings.clock_offset);
    if (!(settings.max_user_frequency >= 0.0 && settings.max_user_frequency <= 0.05))
        refuse("max_user_frequency",
               "0 to 0.05 cycles per symbol, 0 for users without an offset of their own",
               settings.max_user_frequency);
    return settings;
}

} // namespace

frame_synchronizer::sptr frame_synchronizer::make(air_frame::sptr frame,
                                                  const synchronizer_settings& settings)
{
    if (!frame)
        throw std::invalid_argument("frame_sync: frame: expected an air_frame, got none");
    return std::make_shared<frame_synchronizer_impl>(frame, settings);
}

frame_synchronizer::~frame_synchronizer() = default;

frame_synchronizer_impl::frame_synchronizer_impl(air_frame::sptr frame,
                                                 const synchronizer_settings& settings)
    : d_frame(frame),
      d_settings(checked(settings)),
      d_pulse(frame->parameters().rolloff,
              frame->parameters().span,
              frame->parameters().samples_per_symbol),
      d_search(frame, d_pulse, settings.n_chains, settings.false_alarm),
      d_decision(frame, d_pulse, settings.n_chains, settings.max_frequency),
      d_tracker(frame, settings.n_chains, settings.is_per_chain, settings.max_user_frequency),
      d_turner(*frame),
      d_calibration(settings.n_chains, gr_complex(1)),
      d_samples(settings.n_chains, 0),
      d_bad(1, 0)
{
    const int step = frame->parameters().samples_per_symbol;
    const size_t frame_room = size_t(frame->n_samples() * 1.002) + 64;
    const size_t room = frame_room + 2 * size_t(frame->preamble_length()) * step +
                        size_t(d_decision.reach()) + 4 * size_t(d_decision.margin()) + 2 * chunk;
    d_samples = chain_buffer<gr_complex>(settings.n_chains, room);
    d_bad = chain_buffer<uint8_t>(1, room);
    d_turned.assign(settings.n_chains, std::vector<gr_complex>(frame_room));
    d_references.resize(size_t(settings.n_chains) * frame->references().size() * frame->n_chips());
    d_result.noise_var.resize(settings.n_chains);
    d_result.symbols.resize(size_t(settings.n_chains) * frame->n_received());
    d_result.user_frequency.resize(frame->parameters().n_users);
    d_result.user_phases.resize(size_t(frame->parameters().n_data) * frame->parameters().n_users);
    d_result.user_references.resize(size_t(settings.n_chains) * frame->parameters().n_users);
    d_factors.resize(frame->parameters().n_users);
    restart();
}

void frame_synchronizer_impl::restart()
{
    // Silence in front, so that a preamble may begin with the first sample.
    const int margin = 2 * d_decision.margin();
    d_samples.restart(-margin);
    d_bad.restart(-margin);
    d_samples.extend(margin);
    d_bad.extend(margin);
    for (int s = 0; s < d_settings.n_chains; s++)
        std::fill_n(d_samples.fresh(s, margin), margin, gr_complex(0));
    std::fill_n(d_bad.fresh(0, margin), margin, uint8_t(0));
    d_search.restart(-margin);
    d_decision.restart();
    d_in_frame = d_has_frame = false;
    d_next_number = 0;
}

void frame_synchronizer::check_calibration(const std::vector<gr_complex>& gains, int n_chains)
{
    if (int(gains.size()) != n_chains)
        throw std::invalid_argument("calibration: expected a gain for each of the " +
                                    std::to_string(n_chains) + " chains, got " +
                                    std::to_string(gains.size()));
    for (const auto& gain : gains)
        if (!is_usable(gain) || !(std::norm(gain) > 1e-20f))
            throw std::invalid_argument("calibration: expected finite gains that are not zero");
}

void frame_synchronizer_impl::set_calibration(const std::vector<gr_complex>& gains)
{
    check_calibration(gains, d_settings.n_chains);
    std::transform(gains.begin(), gains.end(), d_calibration.begin(), [](gr_complex gain) {
        return gr_complex(1) / gain;
    });
}

int frame_synchronizer_impl::push(const gr_complex* const* samples, int count)
{
    int taken = 0;
    while (true) {
        decide_candidates();
        if (!d_has_frame && d_in_frame && is_frame_complete())
            end_frame();
        drop_old();
        if (d_has_frame || taken == count)
            return taken;
        const int some = std::min(count - taken, int(chunk));
        store(samples, taken, some);
        taken += some;
        d_search.run(d_samples, d_decision.found());
    }
}

void frame_synchronizer_impl::store(const gr_complex* const* samples, int first, int count)
{
    d_samples.extend(count);
    d_bad.extend(count);
    uint8_t* bad = d_bad.fresh(0, count);
    std::fill_n(bad, count, uint8_t(0));
    for (int s = 0; s < d_settings.n_chains; s++) {
        gr_complex* row = d_samples.fresh(s, count);
        for (int i = 0; i < count; i++) {
            const gr_complex sample = samples[s][first + i];
            const bool is_good = is_usable(sample);
            row[i] = is_good ? sample : gr_complex(0);
            bad[i] |= !is_good;
        }
    }
    d_bad_samples += uint64_t(std::count(bad, bad + count, uint8_t(1)));
}

void frame_synchronizer_impl::decide_candidates()
{
    preamble_fix fix;
    while (!d_has_frame && d_decision.next(d_samples, d_search.first_place(), fix))
        begin_frame(fix);
}

int64_t frame_synchronizer_impl::pending() const
{
    return d_in_frame ? std::max<int64_t>(d_samples.end() - int64_t(sample_of(0)), 1) : 0;
}

// Sample of the stream at which a symbol of the frame coming in has its centre.
double frame_synchronizer_impl::sample_of(double symbol) const
{
    const double chips = symbol - d_frame->blocks().front().first;
    return d_fix.instant +
           chips * d_frame->parameters().samples_per_symbol * (1.0 + d_settings.clock_offset);
}

// Where, behind the preamble of a frame, the next frame's may come at the earliest, and a little
// less.
double frame_synchronizer_impl::last_within_frame() const
{
    return d_fix.instant + d_frame->n_samples() * 0.999 - d_decision.margin();
}

// What resembles the preamble within a frame stays far below the frame's own, in both stages.
void frame_synchronizer_impl::follow(const preamble_fix& fix)
{
    d_fix = fix;
    d_decision.ask_until(last_within_frame(), 0.5f * fix.first_metric);
}

void frame_synchronizer_impl::begin_frame(const preamble_fix& fix)
{
    // A preamble also resembles itself a segment or more aside, where its repetitions match: the
    // best of the places within its length is the one.
    const double apart = fix.instant - d_fix.instant;
    const int step = d_frame->parameters().samples_per_symbol;
    if (d_next_number > 0 && apart < d_frame->preamble_length() * step) {
        if (d_in_frame && fix.metric > d_fix.metric)
            follow(fix);
        return;
    }
    // The frame may have gone out before its last places are decided.
    if (d_next_number > 0 && fix.instant < last_within_frame() && fix.metric < 0.5 * d_fix.metric)
        return;
    // A frame whose end is there already is whole, although the next preamble was found first.
    if (d_in_frame && fix.instant >= last_within_frame())
        end_frame();
    if (d_in_frame)
        d_cut_short++;
    const int64_t passed =
        d_next_number == 0 ? 1 : std::max<int64_t>(std::llround(apart / d_frame->n_samples()), 1);
    d_missed += uint64_t(passed - 1);
    d_number = d_next_number == 0 ? 0 : d_number + passed;
    d_next_number = d_number + 1;
    follow(fix);
    d_in_frame = true;
}

// The matched filter of the last symbol ends with the frame's last but one symbol.
bool frame_synchronizer_impl::is_frame_complete() const
{
    const int last = d_frame->n_symbols() - 1 - d_frame->parameters().span / 2;
    return int64_t(std::floor(sample_of(last))) + d_pulse.reach() + 2 <= d_samples.end();
}

void frame_synchronizer_impl::end_frame()
{
    d_in_frame = false;
    d_has_frame = true;
    d_frames++;
    d_result.number = d_number;
    d_result.instant = sample_of(0);
    d_result.metric = d_fix.metric;
    take_symbols();
    take_noise();
    d_tracker.run(d_references.data(), d_result.noise_var.data(), d_users);
    correct_phases();
    correct_users();
    void_bad_symbols();
    d_result.frequency = d_fix.frequency + d_tracker.frequency();
    d_result.phase_rms = d_tracker.phase_rms();
}

// Symbols behind the matched filter, with the preamble's frequency removed.
void frame_synchronizer_impl::take_symbols()
{
    const int step = d_frame->parameters().samples_per_symbol, chips = d_frame->n_chips();
    const double start = sample_of(0);
    d_turned_first = int64_t(std::floor(start)) - d_pulse.reach() - margin_samples;
    d_turned_first = std::max(d_turned_first, d_samples.first());
    const int64_t last = std::min(d_samples.end(), d_turned_first + int64_t(d_turned[0].size()));
    const int count = int(last - d_turned_first);
    const double cycles = -d_fix.frequency / step;
    gr_complex* symbols = d_result.symbols.data();
    gr_complex* references = d_references.data();
    for (int s = 0; s < d_settings.n_chains; s++) {
        gr_complex* row = d_turned[s].data();
        std::copy_n(d_samples.at(s, d_turned_first), count, row);
        std::fill(row + count, row + d_turned[s].size(), gr_complex(0));
        rotate(row, count, (double(d_turned_first) - start) * cycles, cycles);
        for (int symbol : d_frame->received_symbols())
            *symbols++ = d_pulse.at(row, sample_of(symbol) - double(d_turned_first));
        for (const auto& each : d_frame->references())
            for (int p = 0; p < chips; p++)
                *references++ = d_pulse.at(row, sample_of(each.first + p) - double(d_turned_first));
    }
    void_bad_references();
}

void frame_synchronizer_impl::take_noise()
{
    const int n_noise = d_frame->parameters().n_noise, stride = d_frame->n_received();
    for (int s = 0; s < d_settings.n_chains; s++) {
        double sum = 0.0;
        for (int i = 0; i < n_noise; i++)
            sum += std::norm(d_result.symbols[size_t(s) * stride + i]);
        d_result.noise_var[s] = sum / n_noise;
    }
}

void frame_synchronizer_impl::correct_phases()
{
    gr_complex* symbols = d_result.symbols.data();
    for (int s = 0; s < d_settings.n_chains; s++)
        for (int symbol : d_frame->received_symbols())
            *symbols++ *=
                d_calibration[s] * gr_complex(std::polar(1.0, -d_tracker.phase(s, symbol)));
}

// Users' own phases: out of the pilots, and for the data those that remain.
void frame_synchronizer_impl::correct_users()
{
    const auto& p = d_frame->parameters();
    const int chips = d_frame->n_chips(), n = d_frame->n_received();
    d_result.user_frequency = d_tracker.user_frequency();
    d_result.has_user_phases = d_tracker.has_user_phases();
    const auto& last = d_frame->blocks().back();
    const double origin = last.first + 0.5 * (last.length - 1);
    take_user_references(origin);
    if (!d_result.has_user_phases)
        return;
    d_turner.set_frequency(d_result.user_frequency);
    for (int q = 0; q < p.n_slots; q++) {
        const int at = p.n_noise + q * chips;
        const double middle = d_frame->received_symbols()[at] + 0.5 * (chips - 1);
        for (int k = 0; k < p.n_users; k++)
            d_factors[k] = gr_complex(std::polar(1.0, -d_tracker.user_phase(k, middle, origin)));
        for (int s = 0; s < d_settings.n_chains; s++)
            d_turner.run(d_factors.data(), &d_result.symbols[size_t(s) * n + at]);
    }
    double* phases = d_result.user_phases.data();
    for (int i = 0; i < p.n_data; i++)
        for (int k = 0; k < p.n_users; k++)
            *phases++ = d_tracker.user_phase(k, d_frame->data_symbol(i), origin);
}

// Users' pilot chips among the data, despread, turned to the origin and added up.
void frame_synchronizer_impl::take_user_references(double origin)
{
    const auto& p = d_frame->parameters();
    const int chips = d_frame->n_chips(), n = int(d_frame->references().size());
    std::fill(d_result.user_references.begin(), d_result.user_references.end(), gr_complex(0));
    int count = 0;
    for (int j = 0; j < n && p.n_data > 0 && d_settings.max_user_frequency > 0.0; j++) {
        const auto& each = d_frame->references()[j];
        if (each.group != p.reference_beams || (d_has_bad && is_bad_symbol(each.first, chips)))
            continue;
        count++;
        const double middle = each.first + 0.5 * (chips - 1);
        for (int s = 0; s < d_settings.n_chains; s++)
            for (int k = 0; k < p.n_users; k++) {
                const gr_complex* x = &d_references[(size_t(s) * n + j) * chips];
                gr_complex sum(0);
                for (int i = 0; i < chips; i++)
                    sum += x[i] * std::conj(p.sequences[size_t(k) * chips + i]);
                const double phase =
                    d_tracker.phase(s, middle) + d_tracker.user_phase(k, middle, origin);
                d_result.user_references[size_t(s) * p.n_users + k] +=
                    sum * d_calibration[s] * gr_complex(std::polar(1.0, -phase));
            }
    }
    const float scale = 1.0f / std::sqrt(float(std::max(count * chips, 1)));
    for (auto& value : d_result.user_references)
        value *= scale;
    d_result.has_user_references = count > 0;
}

// Whether a sample that was not finite lies between two samples of the stream.
bool frame_synchronizer_impl::is_bad(int64_t from, int64_t to) const
{
    from = std::max(from, d_bad.first());
    to = std::min(to, d_bad.end());
    return from < to && std::memchr(d_bad.at(0, from), 1, size_t(to - from));
}

// Whether one lies within reach of symbols of the frame.
bool frame_synchronizer_impl::is_bad_symbol(int first, int length) const
{
    const int reach = d_pulse.reach();
    return is_bad(int64_t(sample_of(first)) - reach,
                  int64_t(sample_of(first + length - 1)) + reach + 2);
}

void frame_synchronizer_impl::void_bad_references()
{
    d_has_bad = is_bad_symbol(0, d_frame->n_symbols());
    if (!d_has_bad)
        return;
    const size_t chips = d_frame->n_chips(), n = d_frame->references().size();
    for (size_t j = 0; j < n; j++)
        if (is_bad_symbol(d_frame->references()[j].first, int(chips)))
            for (int s = 0; s < d_settings.n_chains; s++)
                std::fill_n(&d_references[(s * n + j) * chips], chips, gr_complex(0));
}

void frame_synchronizer_impl::void_bad_symbols()
{
    if (!d_has_bad)
        return;
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const int n = d_frame->n_received();
    for (int i = 0; i < n; i++)
        if (is_bad_symbol(d_frame->received_symbols()[i], 1))
            for (int s = 0; s < d_settings.n_chains; s++)
                d_result.symbols[size_t(s) * n + i] = gr_complex(nan, nan);
}

void frame_synchronizer_impl::drop_old()
{
    int64_t needed =
        std::min(d_search.sample_needed(), d_decision.sample_needed(d_search.first_place()));
    if (d_in_frame)
        needed = std::min(needed, int64_t(sample_of(0)) - d_pulse.reach() - margin_samples - 2);
    d_samples.drop_before(needed);
    d_bad.drop_before(needed);
}

} // namespace thzum
} // namespace gr
