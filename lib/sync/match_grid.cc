/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "sync/match_grid.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {

namespace {

// Energies of single chips, count of them, step apart, added at each place.
THZUM_MULTIVERSION
void energies(const float* re, const float* im, int count, int step, int n_places, float* sum)
{
    for (int i = 0; i < count; i++) {
        const float *a = re + i * step, *b = im + i * step;
        for (int n = 0; n < n_places; n++)
            sum[n] += a[n] * a[n] + b[n] * b[n];
    }
}

// sum[n] += turn x[n], x and sum as rows of real and imaginary parts
THZUM_MULTIVERSION
void add_turned(const float* re,
                const float* im,
                float turn_re,
                float turn_im,
                int n_places,
                float* sum_re,
                float* sum_im)
{
    for (int n = 0; n < n_places; n++) {
        sum_re[n] += turn_re * re[n] - turn_im * im[n];
        sum_im[n] += turn_re * im[n] + turn_im * re[n];
    }
}

THZUM_MULTIVERSION
void add_power(const float* re, const float* im, const float* weight, int n_places, float* metric)
{
    for (int n = 0; n < n_places; n++)
        metric[n] += weight[n] * (re[n] * re[n] + im[n] * im[n]);
}

} // namespace

match_grid::match_grid(air_frame::sptr frame, int n_places, size_t most_frequencies)
    : d_frame(frame),
      d_n_places(n_places),
      d_step(frame->parameters().samples_per_symbol),
      d_cover(2 * frame->parameters().segment_parts),
      d_turns(2 * most_frequencies * frame->parameters().part_length),
      d_re(size_t(frame->segment_length() - 1) * d_step + n_places),
      d_im(d_re.size()),
      d_weight(n_places),
      d_folded(2 * size_t(n_places)),
      d_correlation(2 * most_frequencies * n_places),
      d_metric(most_frequencies * n_places),
      d_live(n_places)
{
}

void match_grid::start(const std::vector<double>& frequencies)
{
    const int length = d_frame->parameters().part_length;
    d_n_frequencies = frequencies.size();
    std::fill(d_metric.begin(), d_metric.end(), 0.0f);
    std::fill(d_live.begin(), d_live.end(), 0.0f);
    float* turn = d_turns.data();
    for (const double frequency : frequencies)
        for (int i = 0; i < length; i++) {
            const double angle = -2 * M_PI * frequency * i;
            *turn++ = float(std::cos(angle));
            *turn++ = float(std::sin(angle));
        }
    // The repetitions' signs and what they are turned by, the same for all frequencies.
    for (size_t r = 0; r < d_frame->cover().size(); r++) {
        const double angle =
            -2 * M_PI * std::remainder(frequencies.front() * length * double(r), 1.0);
        d_cover[2 * r] = d_frame->cover()[r] * float(std::cos(angle));
        d_cover[2 * r + 1] = d_frame->cover()[r] * float(std::sin(angle));
    }
}

void match_grid::split(const gr_complex* samples)
{
    for (size_t i = 0; i < d_re.size(); i++) {
        d_re[i] = samples[i].real();
        d_im[i] = samples[i].imag();
    }
}

// The weights of the places: one over the segment's energy there.
void match_grid::add_energy()
{
    std::fill(d_weight.begin(), d_weight.end(), 0.0f);
    energies(
        d_re.data(), d_im.data(), d_frame->segment_length(), d_step, d_n_places, d_weight.data());
    for (int n = 0; n < d_n_places; n++) {
        const bool is_live = d_weight[n] > 0.0f;
        d_live[n] += is_live ? 1.0f : 0.0f;
        d_weight[n] = is_live ? 1.0f / d_weight[n] : 0.0f;
    }
}

void match_grid::add(const gr_complex* samples, int segment)
{
    const int length = d_frame->parameters().part_length, n = d_n_places;
    const float* chips = &d_frame->preamble()[size_t(segment) * d_frame->segment_length()];
    split(samples);
    add_energy();
    std::fill_n(d_correlation.begin(), 2 * d_n_frequencies * n, 0.0f);
    for (int i = 0; i < length; i++) {
        std::fill(d_folded.begin(), d_folded.end(), 0.0f);
        for (size_t r = 0; r < d_frame->cover().size(); r++) {
            const size_t at = (r * length + i) * d_step;
            add_turned(&d_re[at],
                       &d_im[at],
                       chips[i] * d_cover[2 * r],
                       chips[i] * d_cover[2 * r + 1],
                       n,
                       d_folded.data(),
                       &d_folded[n]);
        }
        for (size_t f = 0; f < d_n_frequencies; f++) {
            const float* turn = &d_turns[2 * (f * length + i)];
            float* sum = &d_correlation[2 * f * n];
            add_turned(d_folded.data(), &d_folded[n], turn[0], turn[1], n, sum, sum + n);
        }
    }
    for (size_t f = 0; f < d_n_frequencies; f++) {
        const float* sum = &d_correlation[2 * f * n];
        add_power(sum, sum + n, d_weight.data(), n, &d_metric[f * n]);
    }
}

match_grid::peak match_grid::best() const
{
    peak top{ 0.0, 0, 0 };
    for (int place = 0; place < d_n_places; place++)
        for (size_t f = 0; f < d_n_frequencies && d_live[place] > 0.0f; f++) {
            const double metric = d_metric[f * d_n_places + place] / d_live[place];
            if (metric > top.metric)
                top = { metric, place, f };
        }
    return top;
}

} // namespace thzum
} // namespace gr
