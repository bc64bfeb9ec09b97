/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "sync/preamble_search.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {

namespace {

constexpr float silent_power = 1e-30f;

// products[i] = later[i] conj(sooner[i]), squares[i] = |sooner[i]|^2
THZUM_MULTIVERSION
void multiply(const float* sooner, const float* later, int count, float* products, float* squares)
{
    for (int i = 0; i < count; i++) {
        const float a = later[2 * i], b = later[2 * i + 1];
        const float c = sooner[2 * i], d = sooner[2 * i + 1];
        products[2 * i] = a * c + b * d;
        products[2 * i + 1] = b * c - a * d;
        squares[i] = c * c + d * d;
    }
}

// sums[i] = sum of length values from i on, step apart; values has count + (length - 1) step. Wide
// holds a running sum without loss.
template <class Wide, class T>
void sliding_sum(const T* values, int count, int length, int step, T* sums)
{
    const int span = length * step;
    for (int first = 0; first < std::min(step, count); first++) {
        Wide sum(0);
        for (int j = 0; j < length; j++)
            sum += Wide(values[first + j * step]);
        sums[first] = T(sum);
        for (int i = first + step; i < count; i += step) {
            sum += Wide(values[i - step + span]) - Wide(values[i - step]);
            sums[i] = T(sum);
        }
    }
}

// What rounding leaves of a running sum after a loud part is no power.
void clear_residue(float* power, int count)
{
    const float floor = 1e-9f * *std::max_element(power, power + count);
    for (int i = 0; i < count; i++)
        if (power[i] <= floor)
            power[i] = 0.0f;
}

THZUM_MULTIVERSION
void add_scaled(const float* from, float sign, int count, float* sums)
{
    for (int i = 0; i < count; i++)
        sums[i] += sign * from[i];
}

// sum += correlation / power where there is power, counted in live
THZUM_MULTIVERSION
void add_normalised(
    const float* correlation, const float* power, int count, float* sum, float* live)
{
    for (int i = 0; i < count; i++) {
        const bool is_live = power[i] > silent_power;
        const float weight = is_live ? 1.0f / power[i] : 0.0f;
        sum[2 * i] += weight * correlation[2 * i];
        sum[2 * i + 1] += weight * correlation[2 * i + 1];
        live[i] += is_live ? 1.0f : 0.0f;
    }
}

float* floats(gr_complex* values) { return reinterpret_cast<float*>(values); }
const float* floats(const gr_complex* values) { return reinterpret_cast<const float*>(values); }

} // namespace

preamble_search::preamble_search(air_frame::sptr frame,
                                 const pulse_bank& pulse,
                                 int n_chains,
                                 double false_alarm)
    : d_frame(frame),
      d_pulse(pulse),
      d_n_chains(n_chains),
      d_step(frame->parameters().samples_per_symbol),
      d_lag(frame->parameters().part_length * d_step),
      d_filtered(n_chains, 0),
      d_correlation(n_chains, 0),
      d_power(n_chains, 0)
{
    const auto& p = frame->parameters();
    const int pitch = frame->segment_length() + p.guard;
    for (int g = 0; g < p.preamble_segments; g++)
        d_segment_starts.push_back(g * pitch * d_step);
    const double chips = double(p.preamble_segments) * frame->segment_length();
    const double products = chips * (p.segment_parts - 1) / p.segment_parts;
    d_noise_level = products / (chips * chips * n_chains);
    d_threshold = float(std::sqrt(-std::log(false_alarm) * d_noise_level));

    const size_t segment = size_t(frame->segment_length()) * d_step;
    const size_t room = size_t(frame->preamble_length()) * d_step + 2 * chunk;
    d_filtered = chain_buffer<gr_complex>(n_chains, segment + 2 * chunk);
    d_correlation = chain_buffer<gr_complex>(n_chains, room);
    d_power = chain_buffer<float>(n_chains, room);
    d_products.resize(chunk + segment);
    d_squares.resize(chunk + segment);
    d_part.resize(chunk + segment);
    d_sum.resize(chunk);
    d_live.resize(chunk);
    restart(0);
}

void preamble_search::restart(int64_t first)
{
    // What lies before is unknown: the filter may not reach there.
    d_filtered.restart(first + d_pulse.reach());
    d_correlation.restart(first + d_pulse.reach());
    d_power.restart(first + d_pulse.reach());
    d_next = first + d_pulse.reach();
    d_has_peak = false;
}

void preamble_search::run(const chain_buffer<gr_complex>& samples, std::vector<candidate>& found)
{
    while (true) {
        const int64_t known = samples.end() - d_pulse.reach() - d_filtered.end();
        const int count = int(std::min<int64_t>(known, chunk));
        if (count <= 0)
            return;
        filter(samples, count);
        correlate();
        find_peaks(found);
    }
}

void preamble_search::filter(const chain_buffer<gr_complex>& samples, int count)
{
    const int64_t from = d_filtered.end();
    d_filtered.extend(count);
    for (int s = 0; s < d_n_chains; s++)
        d_pulse.filter(samples.at(s, from), count, d_filtered.fresh(s, count));
}

// The segments whose samples are now complete.
void preamble_search::correlate()
{
    const int reach = (d_frame->segment_length() - 1) * d_step + 1;
    const int64_t from = d_correlation.end();
    const int64_t ready = d_filtered.end() - reach + 1 - from;
    if (ready <= 0)
        return;
    const int count = int(std::min<int64_t>(ready, chunk));
    d_correlation.extend(count);
    d_power.extend(count);
    for (int s = 0; s < d_n_chains; s++)
        correlate_chain(s, from, count);
    d_filtered.drop_before(d_correlation.end());
}

void preamble_search::correlate_chain(int chain, int64_t from, int count)
{
    const auto& p = d_frame->parameters();
    const gr_complex* r = d_filtered.at(chain, from);
    // Products reach to the last chip but D, squares to the last.
    const int n_products = count + (p.segment_parts - 1) * d_lag - d_step;
    const int n_squares = count + p.segment_parts * d_lag - d_step;
    multiply(floats(r), floats(r + d_lag), n_products, floats(d_products.data()), d_squares.data());
    for (int i = n_products; i < n_squares; i++)
        d_squares[i] = std::norm(r[i]);

    const int n_parts = count + (p.segment_parts - 2) * d_lag;
    sliding_sum<gr_complexd>(d_products.data(), n_parts, p.part_length, d_step, d_part.data());
    gr_complex* correlation = d_correlation.fresh(chain, count);
    std::fill_n(correlation, count, gr_complex(0));
    for (int j = 0; j + 1 < p.segment_parts; j++)
        add_scaled(floats(d_part.data() + j * d_lag),
                   d_frame->cover()[j] * d_frame->cover()[j + 1],
                   2 * count,
                   floats(correlation));
    float* power = d_power.fresh(chain, count);
    sliding_sum<double>(d_squares.data(), count, d_frame->segment_length(), d_step, power);
    clear_residue(power, count);
}

void preamble_search::find_peaks(std::vector<candidate>& found)
{
    const int64_t ready = d_correlation.end() - d_segment_starts.back() - d_next;
    const int count = int(std::min<int64_t>(ready, chunk));
    if (count <= 0)
        return;
    std::fill_n(d_sum.begin(), count, gr_complex(0));
    std::fill_n(d_live.begin(), count, 0.0f);
    for (int s = 0; s < d_n_chains; s++) {
        std::fill_n(d_part.begin(), count, gr_complex(0));
        std::fill_n(d_squares.begin(), count, 0.0f);
        for (int start : d_segment_starts) {
            add_scaled(floats(d_correlation.at(s, d_next + start)),
                       1.0f,
                       2 * count,
                       floats(d_part.data()));
            add_scaled(d_power.at(s, d_next + start), 1.0f, count, d_squares.data());
        }
        add_normalised(
            floats(d_part.data()), d_squares.data(), count, floats(d_sum.data()), d_live.data());
    }
    for (int i = 0; i < count; i++) {
        const int64_t sample = d_next + i;
        if (d_has_peak && sample > d_peak.sample + d_lag) {
            found.push_back(d_peak);
            d_has_peak = false;
        }
        // Fewer live chains average less noise away.
        const float metric =
            d_live[i] > 0.0f ? std::abs(d_sum[i]) / std::sqrt(d_live[i] * d_n_chains) : 0.0f;
        if (metric < d_threshold || (d_has_peak && metric <= d_peak.metric))
            continue;
        const float turn = std::arg(d_sum[i]) / float(2 * M_PI);
        d_peak = { sample, turn / d_frame->parameters().part_length, metric };
        d_has_peak = true;
    }
    d_next += count;
    d_correlation.drop_before(d_next);
    d_power.drop_before(d_next);
}

} // namespace thzum
} // namespace gr
