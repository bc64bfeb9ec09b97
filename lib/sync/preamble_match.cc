/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "common/rotation.h"
#include "sync/gamma_quantile.h"
#include "sync/parabola.h"
#include "sync/preamble_match.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {

namespace {

// Standard deviations of a normal quantile beyond which noise lies with probability 4e-11.
constexpr double noise_quantile = 6.5;

// Share of its largest value that the metric must have whatever the noise: nothing that merely
// resembles the preamble comes near.
constexpr double least_share = 0.08;

constexpr int fine_steps = 8; // per sample

constexpr int longest_cover = 13; // there is no longer Barker sequence

// That frequencies_like() may give.
size_t most_frequencies(const air_frame& frame, double max_frequency)
{
    return 2 * size_t(max_frequency * frame.parameters().part_length) + 3;
}

// sum_i conj(turned[i]) r[i step]
THZUM_MULTIVERSION
void dot_conjugate(const gr_complex* turned,
                   const gr_complex* r,
                   int count,
                   int step,
                   float& re_out,
                   float& im_out)
{
    const float* t = reinterpret_cast<const float*>(turned);
    const float* x = reinterpret_cast<const float*>(r);
    float re = 0.0f, im = 0.0f;
    for (int i = 0; i < count; i++) {
        const float a = t[2 * i], b = t[2 * i + 1];
        const float c = x[2 * i * step], d = x[2 * i * step + 1];
        re += a * c + b * d;
        im += a * d - b * c;
    }
    re_out = re;
    im_out = im;
}

} // namespace

preamble_match::preamble_match(air_frame::sptr frame,
                               const pulse_bank& pulse,
                               int n_chains,
                               double max_frequency)
    : d_frame(frame),
      d_pulse(pulse),
      d_n_chains(n_chains),
      d_step(frame->parameters().samples_per_symbol),
      d_radius(frame->parameters().part_length * d_step),
      d_max_frequency(max_frequency),
      d_grid(frame, 2 * d_radius + 1, most_frequencies(*frame, max_frequency)),
      d_power(size_t(n_chains) * frame->parameters().preamble_segments),
      d_cover(frame->parameters().segment_parts)
{
    const auto& p = frame->parameters();
    const int segments = p.preamble_segments, length = frame->segment_length();
    for (int g = 0; g < segments; g++)
        d_starts.push_back(g * (length + p.guard) * d_step);
    d_threshold =
        std::max(gamma_quantile(double(n_chains) * segments, noise_quantile), least_share * length);
    d_first = d_radius + d_pulse.reach() + 2;
    const size_t size = d_starts.back() + length * d_step + 2 * size_t(d_first);
    d_samples.assign(n_chains, std::vector<gr_complex>(size));
    d_filtered.assign(n_chains, std::vector<gr_complex>(size));
    d_frequencies.reserve(most_frequencies(*frame, max_frequency));
    d_turned.resize(size_t(segments) * p.part_length);
    d_parts.resize(d_power.size() * p.segment_parts);
}

bool preamble_match::run(const chain_buffer<gr_complex>& samples,
                         const preamble_search::candidate& place,
                         preamble_fix& fix)
{
    load(samples, place.sample - d_first);
    filter(0);
    d_grid.start(frequencies_like(place.frequency));
    for (int s = 0; s < d_n_chains; s++)
        for (size_t g = 0; g < d_starts.size(); g++)
            d_grid.add(d_filtered[s].data() + d_first - d_radius + d_starts[g], int(g));
    const auto best = d_grid.best();
    if (!(best.metric > d_threshold))
        return false;
    const int best_place = d_first - d_radius + best.place;
    const double frequency = d_frequencies[best.frequency];
    measure_power(best_place);
    turn_chips(frequency);
    correlate(best_place);
    const double coarse = frequency + remaining_frequency();
    turn_back(coarse);
    turn_chips(0.0);
    const double instant = refine_instant(best_place);
    fix.metric = segments_at(instant);
    fix.frequency = coarse + remaining_frequency();
    fix.instant = double(place.sample - d_first) + instant;
    fix.first_metric = place.metric;
    return fix.metric > d_threshold;
}

void preamble_match::load(const chain_buffer<gr_complex>& samples, int64_t first)
{
    for (int s = 0; s < d_n_chains; s++)
        std::copy_n(samples.at(s, first), d_samples[s].size(), d_samples[s].begin());
}

void preamble_match::turn_back(double frequency)
{
    for (auto& row : d_samples)
        rotate(row.data(), int(row.size()), 0.0, -frequency / d_step);
}

void preamble_match::filter(int fraction)
{
    const int reach = d_pulse.reach();
    for (int s = 0; s < d_n_chains; s++)
        d_pulse.filter(d_samples[s].data() + reach,
                       int(d_samples[s].size()) - 2 * reach - 1,
                       d_filtered[s].data() + reach,
                       fraction);
}

// The frequencies that look like this one to the first stage, which knows it modulo 1 / D.
const std::vector<double>& preamble_match::frequencies_like(double frequency)
{
    const double alias = 1.0 / d_frame->parameters().part_length;
    const int most = int(d_max_frequency / alias) + 1;
    d_frequencies.clear();
    for (int m = -most; m <= most; m++)
        if (std::abs(frequency + m * alias) <= d_max_frequency + alias / 4)
            d_frequencies.push_back(frequency + m * alias);
    return d_frequencies;
}

// The chips of a repetition of each segment, and the signs of the repetitions, with a frequency.
void preamble_match::turn_chips(double frequency)
{
    const int length = d_frame->parameters().part_length;
    gr_complex* out = d_turned.data();
    for (size_t g = 0; g < d_starts.size(); g++)
        for (int i = 0; i < length; i++)
            *out++ = d_frame->preamble()[g * d_frame->segment_length() + i] *
                     gr_complex(std::polar(1.0, 2 * M_PI * frequency * i));
    for (size_t r = 0; r < d_cover.size(); r++)
        d_cover[r] =
            gr_complex(std::polar(double(d_frame->cover()[r]),
                                  -2 * M_PI * std::remainder(frequency * length * double(r), 1.0)));
}

// Energy of the chips of each segment.
void preamble_match::measure_power(int place)
{
    const int length = d_frame->segment_length();
    float* power = d_power.data();
    for (int s = 0; s < d_n_chains; s++)
        for (const int start : d_starts) {
            double sum = 0.0;
            for (int i = 0; i < length; i++)
                sum += std::norm(d_filtered[s][place + start + i * d_step]);
            *power++ = float(sum);
        }
}

// The metric at a whole sample for the frequency of turn_chips(), leaving the part correlations.
double preamble_match::correlate(int place)
{
    const int length = d_frame->parameters().part_length;
    const size_t parts = d_cover.size(), n_segments = d_starts.size();
    double metric = 0.0;
    int n_live = 0;
    for (size_t segment = 0; segment < d_power.size(); segment++) {
        const size_t s = segment / n_segments, g = segment % n_segments;
        gr_complex sum(0);
        for (size_t r = 0; r < parts; r++) {
            const gr_complex* at = d_filtered[s].data() + place + d_starts[g] + r * length * d_step;
            float re, im;
            dot_conjugate(&d_turned[g * length], at, length, d_step, re, im);
            const gr_complex part = d_cover[r] * gr_complex(re, im);
            d_parts[segment * parts + r] = part;
            sum += part;
        }
        if (!(d_power[segment] > 0.0f))
            continue;
        n_live++;
        metric += std::norm(sum) / d_power[segment];
    }
    return n_live ? metric / n_live : 0.0;
}

// What the part correlations say of the frequency still left, in cycles per symbol.
double preamble_match::remaining_frequency() const
{
    const size_t parts = d_cover.size();
    const double cycles = 1.0 / (16.0 * double(parts)); // from part to part
    constexpr int most = 16;
    double energy[2 * most + 1] = {};
    for (int m = -most; m <= most; m++) {
        gr_complex turn[longest_cover];
        for (size_t r = 0; r < parts; r++)
            turn[r] = gr_complex(std::polar(1.0, -2 * M_PI * m * cycles * double(r)));
        for (size_t segment = 0; segment < d_power.size(); segment++) {
            if (!(d_power[segment] > 0.0f))
                continue;
            gr_complex sum(0);
            for (size_t r = 0; r < parts; r++)
                sum += d_parts[segment * parts + r] * turn[r];
            energy[m + most] += std::norm(sum) / d_power[segment];
        }
    }
    const int best = int(std::max_element(energy, energy + 2 * most + 1) - energy);
    double fraction = 0.0;
    if (best > 0 && best < 2 * most)
        fraction = parabola_vertex(energy[best - 1], energy[best], energy[best + 1]);
    return (best - most + fraction) * cycles / d_frame->parameters().part_length;
}

// The metric at an instant between samples, of samples turned back; leaves the part correlations.
double preamble_match::segments_at(double instant)
{
    const double whole = std::floor(instant);
    filter(int(std::lround((instant - whole) * pulse_bank::fractions)));
    measure_power(int(whole));
    return correlate(int(whole));
}

double preamble_match::refine_instant(double instant)
{
    double metric[2 * fine_steps + 1];
    for (int i = 0; i <= 2 * fine_steps; i++)
        metric[i] = segments_at(instant + double(i - fine_steps) / fine_steps);
    const int best = int(std::max_element(metric, metric + 2 * fine_steps + 1) - metric);
    // A wide parabola, of half a symbol or so, averages the noise of neighbouring points.
    const int wide = std::min({ fine_steps * d_step / 4, best, 2 * fine_steps - best });
    const double fraction =
        wide > 0 ? parabola_vertex(metric[best - wide], metric[best], metric[best + wide]) * wide
                 : 0.0;
    return instant + (best - fine_steps + fraction) / fine_steps;
}

} // namespace thzum
} // namespace gr
