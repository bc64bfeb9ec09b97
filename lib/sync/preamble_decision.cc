/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "sync/preamble_decision.h"
#include <algorithm>
#include <limits>

namespace gr {
namespace thzum {

namespace {

// One segment of G aside, the metric is (G - 1) / G of the preamble's at high SNR. At low SNR,
// where it scatters, a true place must not fall behind one of those.
constexpr float outdone_share = 0.8f;

// Waiting ends before the frame does, so that no frame waits for samples behind it.
int longest_wait(const air_frame& frame, int margin)
{
    const auto& p = frame.parameters();
    const double frame_samples = 0.998 * (frame.n_samples() - p.span * p.samples_per_symbol);
    const int lag = p.part_length * p.samples_per_symbol;
    const int preamble = frame.preamble_length() * p.samples_per_symbol;
    return std::clamp(int(frame_samples) - preamble - margin - 2 * lag, 0, preamble);
}

constexpr size_t most_candidates = 8192;

} // namespace

preamble_decision::preamble_decision(air_frame::sptr frame,
                                     const pulse_bank& pulse,
                                     int n_chains,
                                     double max_frequency)
    : d_match(frame, pulse, n_chains, max_frequency),
      d_preamble(frame->preamble_length() * frame->parameters().samples_per_symbol),
      d_wait(longest_wait(*frame, d_match.margin()))
{
    d_found.reserve(most_candidates);
    d_places.reserve(most_candidates);
    restart();
}

void preamble_decision::restart()
{
    d_found.clear();
    d_places.clear();
    d_n_decided = 0;
    ask_until(std::numeric_limits<double>::lowest(), 0.0f);
}

void preamble_decision::ask_until(double last, float least)
{
    d_asked_until = last;
    d_least = least;
}

bool preamble_decision::next(const chain_buffer<gr_complex>& samples,
                             int64_t searched,
                             preamble_fix& fix)
{
    take_found();
    while (d_n_decided < d_places.size()) {
        const int64_t sample = d_places[d_n_decided].candidate.sample;
        if (sample + d_wait > searched || sample + reach() > samples.end())
            return false;
        const size_t index = d_n_decided++;
        place& each = d_places[index];
        if (!is_asked_for(each) || is_outdone(samples, index) || !is_preamble(samples, each))
            continue;
        fix = each.fix;
        return true;
    }
    return false;
}

void preamble_decision::take_found()
{
    forget_old();
    for (const auto& candidate : d_found)
        d_places.push_back({ candidate, verdict::open, {} });
    d_found.clear();
}

void preamble_decision::forget_old()
{
    if (d_places.empty())
        return;
    const auto& present = d_places[std::min(d_n_decided, d_places.size() - 1)];
    const int64_t oldest = present.candidate.sample - d_preamble;
    size_t n_old = 0;
    while (n_old < d_n_decided && d_places[n_old].candidate.sample < oldest)
        n_old++;
    d_places.erase(d_places.begin(), d_places.begin() + long(n_old));
    d_n_decided -= n_old;
}

bool preamble_decision::is_asked_for(const place& each) const
{
    return double(each.candidate.sample) > d_asked_until || each.candidate.metric >= d_least;
}

bool preamble_decision::is_outdone(const chain_buffer<gr_complex>& samples, size_t index)
{
    const auto& candidate = d_places[index].candidate;
    for (size_t i = 0; i < d_places.size(); i++) {
        place& other = d_places[i];
        const int64_t apart = other.candidate.sample - candidate.sample;
        if (apart < -d_preamble || apart > d_wait ||
            !(outdone_share * other.candidate.metric > candidate.metric))
            continue;
        if (i < index ? other.state == verdict::accepted : is_preamble(samples, other))
            return true;
    }
    return false;
}

bool preamble_decision::is_preamble(const chain_buffer<gr_complex>& samples, place& each)
{
    if (each.state == verdict::open) {
        const bool is_match = each.candidate.sample - margin() >= samples.first() &&
                              d_match.run(samples, each.candidate, each.fix);
        each.state = is_match ? verdict::accepted : verdict::rejected;
    }
    return each.state == verdict::accepted;
}

int64_t preamble_decision::sample_needed(int64_t otherwise) const
{
    for (size_t i = d_n_decided; i < d_places.size(); i++)
        otherwise = std::min(otherwise, d_places[i].candidate.sample);
    for (const auto& candidate : d_found)
        otherwise = std::min(otherwise, candidate.sample);
    return otherwise - margin();
}

} // namespace thzum
} // namespace gr
