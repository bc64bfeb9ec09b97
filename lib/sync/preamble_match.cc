/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "sync/preamble_match.h"
#include "sync/rotation.h"
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

// Upper quantile of a Gamma distribution (Wilson and Hilferty's cube), over its mean.
double gamma_quantile(double shape, double normal_quantile)
{
    const double variance = 1.0 / (9.0 * shape);
    return std::pow(1.0 - variance + normal_quantile * std::sqrt(variance), 3.0);
}

// sum_i conj(turned[i]) r[i step]
THZUM_MULTIVERSION
void dot_conjugate(
    const float* turned, const float* r, int count, int step, float& re_out, float& im_out)
{
    float re = 0.0f, im = 0.0f;
    for (int i = 0; i < count; i++) {
        const float a = turned[2 * i], b = turned[2 * i + 1];
        const float c = r[2 * i * step], d = r[2 * i * step + 1];
        re += a * c + b * d;
        im += a * d - b * c;
    }
    re_out = re;
    im_out = im;
}

// folded[i] += turn r[i step]; returns the energy of these r.
THZUM_MULTIVERSION
float fold(const float* r, gr_complex turn, int count, int step, float* folded)
{
    const float c = turn.real(), s = turn.imag();
    float energy = 0.0f;
    for (int i = 0; i < count; i++) {
        const float a = r[2 * i * step], b = r[2 * i * step + 1];
        folded[2 * i] += a * c - b * s;
        folded[2 * i + 1] += a * s + b * c;
        energy += a * a + b * b;
    }
    return energy;
}

// Vertex of the parabola through (-1, a), (0, b), (1, c), b being the largest.
double vertex(double a, double b, double c)
{
    const double bend = a - 2.0 * b + c;
    return bend < 0.0 ? std::clamp(0.5 * (a - c) / bend, -0.5, 0.5) : 0.0;
}

} // namespace

preamble_match::preamble_match(air_frame::sptr frame,
                               const pulse_bank& pulse,
                               int n_chains,
                               double max_frequency)
    : d_frame(frame),
      d_pulse(pulse),
      d_n_chains(n_chains),
      d_radius(frame->parameters().part_length * frame->parameters().samples_per_symbol),
      d_max_frequency(max_frequency),
      d_on_air{ {}, frame->parameters().samples_per_symbol },
      d_side_by_side{ {}, 1 },
      d_power(size_t(n_chains) * frame->parameters().preamble_segments)
{
    const auto& p = frame->parameters();
    const int segments = p.preamble_segments, length = frame->segment_length();
    for (int g = 0; g < segments; g++) {
        d_on_air.starts.push_back(g * (length + p.guard) * d_on_air.step);
        d_side_by_side.starts.push_back(g * length);
    }
    d_threshold =
        std::max(gamma_quantile(double(n_chains) * segments, noise_quantile), least_share * length);
    d_first = d_radius + d_pulse.reach() + 2;
    const size_t size = d_on_air.starts.back() + length * d_on_air.step + 2 * size_t(d_first);
    d_samples.assign(n_chains, std::vector<gr_complex>(size));
    d_filtered.assign(n_chains, std::vector<gr_complex>(size));
    d_parts.resize(size_t(n_chains) * segments * p.segment_parts);
    d_turned.resize(size_t(segments) * p.part_length);
    d_folded.resize(p.part_length);
}

bool preamble_match::run(const chain_buffer<gr_complex>& samples,
                         const preamble_search::candidate& place,
                         preamble_fix& fix)
{
    load(samples, place.sample - d_first);
    filter();
    const double alias = 1.0 / d_frame->parameters().part_length;
    const int most = int(d_max_frequency / alias) + 1;
    double best = 0.0, frequency = 0.0;
    int best_place = 0;
    for (int m = -most; m <= most; m++) {
        const double f = place.frequency + m * alias;
        if (std::abs(f) > d_max_frequency + alias / 4)
            continue;
        turn_chips(f);
        for (int at = -d_radius; at <= d_radius; at++) {
            const double metric = match_at(d_first + at, f);
            if (metric > best) {
                best = metric;
                best_place = d_first + at;
                frequency = f;
            }
        }
    }
    if (!(best > d_threshold))
        return false;
    measure_power(d_on_air, best_place);
    correlate(d_on_air, best_place, frequency);
    const double coarse = frequency + remaining_frequency();
    turn_back(coarse);
    filter();
    const double instant = refine_instant(best_place);
    fix.metric = segments_at(instant);
    fix.frequency = coarse + remaining_frequency();
    fix.instant = double(place.sample - d_first) + instant;
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
        rotate(row.data(), int(row.size()), 0.0, -frequency / d_on_air.step);
}

void preamble_match::filter()
{
    const int reach = d_pulse.reach();
    for (int s = 0; s < d_n_chains; s++)
        d_pulse.filter(d_samples[s].data() + reach,
                       int(d_samples[s].size()) - 2 * reach,
                       d_filtered[s].data() + reach);
}

// Mean power of a chip in each segment.
void preamble_match::measure_power(const chip_layout& layout, int place)
{
    const int length = d_frame->segment_length();
    float* power = d_power.data();
    for (int s = 0; s < d_n_chains; s++)
        for (int start : layout.starts) {
            double sum = 0.0;
            for (int i = 0; i < length; i++)
                sum += std::norm(d_filtered[s][place + start + i * layout.step]);
            *power++ = float(sum / length);
        }
}

// The chips of a repetition of each segment with a frequency offset.
void preamble_match::turn_chips(double frequency)
{
    const int length = d_frame->parameters().part_length;
    for (size_t g = 0; g < d_on_air.starts.size(); g++)
        for (int i = 0; i < length; i++)
            d_turned[g * length + i] = d_frame->preamble()[g * d_frame->segment_length() + i] *
                                       gr_complex(std::polar(1.0, 2 * M_PI * frequency * i));
}

// The metric at a whole sample, for the frequency of turn_chips().
double preamble_match::match_at(int place, double frequency)
{
    const auto& p = d_frame->parameters();
    const int length = p.part_length, step = d_on_air.step;
    double metric = 0.0;
    int n_live = 0;
    for (int s = 0; s < d_n_chains; s++)
        for (size_t g = 0; g < d_on_air.starts.size(); g++) {
            const gr_complex* at = d_filtered[s].data() + place + d_on_air.starts[g];
            std::fill(d_folded.begin(), d_folded.end(), gr_complex(0));
            float power = 0.0f;
            for (int r = 0; r < p.segment_parts; r++) {
                const double turn = -2 * M_PI * std::remainder(frequency * length * r, 1.0);
                power += fold(reinterpret_cast<const float*>(at + r * length * step),
                              gr_complex(std::polar(double(d_frame->cover()[r]), turn)),
                              length,
                              step,
                              reinterpret_cast<float*>(d_folded.data()));
            }
            if (!(power > 0.0f))
                continue;
            n_live++;
            float re, im;
            dot_conjugate(reinterpret_cast<const float*>(&d_turned[g * length]),
                          reinterpret_cast<const float*>(d_folded.data()),
                          length,
                          1,
                          re,
                          im);
            metric += (re * re + im * im) / power;
        }
    return n_live ? metric / n_live : 0.0;
}

// The metric of samples without frequency offset but a small one, leaving the part correlations.
double preamble_match::correlate(const chip_layout& layout, int place, double frequency)
{
    const auto& p = d_frame->parameters();
    const int length = p.part_length, parts = p.segment_parts;
    turn_chips(frequency);
    double metric = 0.0;
    int n_live = 0;
    for (int s = 0; s < d_n_chains; s++)
        for (int g = 0; g < p.preamble_segments; g++) {
            const size_t segment = size_t(s) * p.preamble_segments + g;
            gr_complex sum(0);
            for (int r = 0; r < parts; r++) {
                const gr_complex* at =
                    d_filtered[s].data() + place + layout.starts[g] + r * length * layout.step;
                float re, im;
                dot_conjugate(reinterpret_cast<const float*>(&d_turned[size_t(g) * length]),
                              reinterpret_cast<const float*>(at),
                              length,
                              layout.step,
                              re,
                              im);
                const double turn = -2 * M_PI * std::remainder(frequency * length * r, 1.0);
                const gr_complex part =
                    gr_complex(re, im) * gr_complex(std::polar(double(d_frame->cover()[r]), turn));
                d_parts[segment * parts + r] = part;
                sum += part;
            }
            if (!(d_power[segment] > 0.0f))
                continue;
            n_live++;
            metric += std::norm(sum) / (d_power[segment] * length * parts);
        }
    return n_live ? metric / n_live : 0.0;
}

// What the part correlations say of the frequency still left, in cycles per symbol.
double preamble_match::remaining_frequency() const
{
    const auto& p = d_frame->parameters();
    const int parts = p.segment_parts;
    const double step = 1.0 / (16.0 * p.part_length * parts);
    constexpr int most = 16;
    double energy[2 * most + 1];
    for (int m = -most; m <= most; m++) {
        const double turn = -2 * M_PI * m * step * p.part_length;
        energy[m + most] = 0.0;
        for (size_t segment = 0; segment < d_power.size(); segment++) {
            if (!(d_power[segment] > 0.0f))
                continue;
            gr_complex sum(0);
            for (int r = 0; r < parts; r++)
                sum += d_parts[segment * parts + r] * gr_complex(std::polar(1.0, turn * r));
            energy[m + most] += std::norm(sum) / d_power[segment];
        }
    }
    const int best = int(std::max_element(energy, energy + 2 * most + 1) - energy);
    double fraction = 0.0;
    if (best > 0 && best < 2 * most)
        fraction = vertex(energy[best - 1], energy[best], energy[best + 1]);
    return (best - most + fraction) * step;
}

// The metric at an instant between samples, of samples turned back; leaves the part correlations.
double preamble_match::segments_at(double instant)
{
    const int length = d_frame->segment_length();
    for (int s = 0; s < d_n_chains; s++)
        for (size_t g = 0; g < d_on_air.starts.size(); g++)
            for (int i = 0; i < length; i++)
                d_filtered[s][d_side_by_side.starts[g] + i] = d_pulse.at(
                    d_samples[s].data(), instant + d_on_air.starts[g] + double(i) * d_on_air.step);
    measure_power(d_side_by_side, 0);
    return correlate(d_side_by_side, 0, 0.0);
}

double preamble_match::refine_instant(double instant)
{
    double metric[2 * fine_steps + 1];
    for (int i = 0; i <= 2 * fine_steps; i++)
        metric[i] = segments_at(instant + double(i - fine_steps) / fine_steps);
    const int best = int(std::max_element(metric, metric + 2 * fine_steps + 1) - metric);
    // A wide parabola, of half a symbol or so, averages the noise of neighbouring points.
    const int wide = std::min({ fine_steps * d_on_air.step / 4, best, 2 * fine_steps - best });
    const double fraction =
        wide > 0 ? vertex(metric[best - wide], metric[best], metric[best + wide]) * wide : 0.0;
    return instant + (best - fine_steps + fraction) / fine_steps;
}

} // namespace thzum
} // namespace gr
