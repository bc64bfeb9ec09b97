/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "channel/elementary.h"
#include "channel/oscillator.h"
#include "common/multiversion.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {

namespace {

constexpr int tile_size = sample_block::capacity;
constexpr int strips = 8;
constexpr int strip_size = tile_size / strips;

// See the Python model: corners a factor of four apart, the first three processes drawn for every
// sample.
constexpr double corner_ratio = 4.0;
constexpr int full_rate = 3;
constexpr uint32_t start_part = 255;

// y[j] = pole y[j - 1] + x[j] in place over a tile after y[-1] = carry; returns the last y. Eight
// strips advance side by side, because each step waits for the one before; what precedes a strip is
// added later.
THZUM_MULTIVERSION
float recursion(float* __restrict x, float pole, const float* __restrict powers, float carry)
{
    for (int j = 1; j < strip_size; j++)
        for (int s = 0; s < strips; s++)
            x[s * strip_size + j] += pole * x[s * strip_size + j - 1];
    for (int s = 0; s < strips; s++) {
        float* __restrict strip = x + s * strip_size;
        for (int j = 0; j < strip_size; j++)
            strip[j] += powers[j] * carry;
        carry = strip[strip_size - 1];
    }
    return carry;
}

THZUM_MULTIVERSION
void multiply_add(float* __restrict sum, float factor, const float* __restrict x)
{
    for (int i = 0; i < tile_size; i++)
        sum[i] += factor * x[i];
}

THZUM_MULTIVERSION
void scale(float* __restrict x, float factor)
{
    for (int i = 0; i < tile_size; i++)
        x[i] *= factor;
}

// Turns start + i rate, less whole ones.
THZUM_MULTIVERSION
void linear_phase(float* __restrict turns, double start, double rate)
{
    for (int i = 0; i < tile_size; i++) {
        const double phase = start + i * rate;
        turns[i] = float(phase - double(int32_t(phase)));
    }
}

THZUM_MULTIVERSION
void phasors(const float* __restrict a, const float* __restrict b, float* __restrict cosine)
{
    float* __restrict sine = cosine + tile_size;
    for (int i = 0; i < tile_size; i++)
        cos_sin_turns(a[i] + b[i], cosine[i], sine[i]);
}

THZUM_MULTIVERSION
void rotate(float* __restrict re, float* __restrict im, const float* __restrict cosine, int n)
{
    const float* __restrict sine = cosine + tile_size;
    for (int i = 0; i < n; i++) {
        const float x = re[i], y = im[i];
        re[i] = x * cosine[i] - y * sine[i];
        im[i] = x * sine[i] + y * cosine[i];
    }
}

double fraction(double turns) { return turns - std::round(turns); }

} // namespace

flicker_noise::flicker_noise(const oscillator_settings& settings, uint32_t oscillator)
    : d_seed(settings.seed), d_turns_per_hz(float(1.0 / settings.sample_rate)), d_scratch(tile_size)
{
    const double high = settings.sample_rate / 5;
    const double low = settings.flicker_low > 0 ? settings.flicker_low : settings.sample_rate / 1e6;
    const int count = int(std::ceil(std::log(10 * high / low) / std::log(corner_ratio))) + 1;
    const double deviation = std::sqrt(2 * settings.k3 * std::log(corner_ratio));
    const auto effect = settings.is_transmitter ? noise_effect::transmit_phase_flicker
                                                : noise_effect::phase_flicker;
    d_processes.resize(count);
    for (int i = 0; i < count; i++) {
        auto& p = d_processes[i];
        p.substream = noise_substream(effect, oscillator, i);
        p.hold = uint64_t(std::pow(corner_ratio, std::max(0, i + 1 - full_rate)));
        const double corner = high * std::pow(corner_ratio, -i);
        const double pole = std::exp(-2 * M_PI * corner * double(p.hold) / settings.sample_rate);
        p.pole = float(pole);
        p.drive = float(deviation * std::sqrt(1 - pole * pole));
        counter_normal(d_seed, noise_substream(effect, oscillator, start_part), i, 1, &p.value);
        p.value *= float(deviation);
        for (int j = 0; j < strip_size; j++)
            p.powers[j] = float(std::pow(pole, j + 1));
    }
}

void flicker_noise::add_steps(uint64_t tile, float* turns)
{
    for (auto& p : d_processes)
        p.hold == 1 ? add_every_sample(p, tile, turns) : add_held(p, tile, turns);
}

void flicker_noise::add_every_sample(process& p, uint64_t tile, float* turns)
{
    counter_normal(d_seed, p.substream, tile * tile_size, tile_size, d_scratch.data());
    scale(d_scratch.data(), p.drive);
    p.value = recursion(d_scratch.data(), p.pole, p.powers.data(), p.value);
    multiply_add(turns, d_turns_per_hz, d_scratch.data());
}

void flicker_noise::add_held(process& p, uint64_t tile, float* turns)
{
    const int held = int(std::min<uint64_t>(p.hold, tile_size));
    for (int i = 0; i < tile_size; i += held) {
        if ((tile * tile_size + i) % p.hold == 0)
            p.value = p.pole * p.value + p.drive * draw(p);
        const float step = d_turns_per_hz * p.value;
        for (int j = 0; j < held; j++)
            turns[i + j] += step;
    }
}

float flicker_noise::draw(process& p)
{
    const size_t place = p.next % p.drawn.size();
    if (place == 0)
        counter_normal(d_seed, p.substream, p.next, p.drawn.size(), p.drawn.data());
    p.next++;
    return p.drawn[place];
}

oscillator_bank::oscillator_bank(const oscillator_settings& settings, int rows)
    : d_settings(settings), d_rows(rows)
{
    if (d_settings.offset.empty())
        d_settings.offset = { 0.0 };
    const size_t offsets = d_settings.offset.size(), oscillators = settings.shared ? 1 : rows;
    d_start.assign(offsets, fraction(settings.phase / (2 * M_PI)));
    d_walk.assign(oscillators, 0.0);
    d_ramp.resize(offsets * tile);
    d_noise.resize(oscillators * tile);
    d_normal.resize(tile);
    if (settings.k3 > 0)
        for (size_t o = 0; o < oscillators; o++)
            d_flicker.emplace_back(settings, uint32_t(o));
    d_n_phasors = int(std::max(offsets, oscillators));
    d_phasors.resize(size_t(2) * d_n_phasors * tile);
    set_levels(settings.k0, settings.k2);
}

bool oscillator_bank::is_idle() const
{
    const auto& s = d_settings;
    return s.k0 == 0 && s.k2 == 0 && s.k3 == 0 && s.phase == 0 && d_index == 0 &&
           std::all_of(s.offset.begin(), s.offset.end(), [](double hz) { return hz == 0; });
}

void oscillator_bank::set_levels(double k0, double k2)
{
    d_settings.k0 = k0;
    d_settings.k2 = k2;
    d_floor = float(std::sqrt(k0 * d_settings.sample_rate) / (2 * M_PI));
    d_step = float(std::sqrt(k2 / d_settings.sample_rate));
}

void oscillator_bank::set_offset(const std::vector<double>& offset)
{
    // The present tile was made with the old offsets.
    const uint64_t from = (d_index + tile - 1) / tile * tile;
    for (size_t i = 0; i < d_start.size(); i++)
        d_start[i] = fraction(d_start[i] + double(from - d_since) *
                                               (d_settings.offset[i] / d_settings.sample_rate));
    d_since = from;
    d_settings.offset = offset;
}

void oscillator_bank::apply(sample_block& block)
{
    for (int first = 0; first < block.count;) {
        const int place = int(d_index % tile);
        if (place == 0)
            fill_tile();
        const int n = std::min(block.count - first, tile - place);
        for (int row = 0; row < d_rows; row++) {
            const int phasor = d_n_phasors == 1 ? 0 : row;
            rotate(block.re(row) + first,
                   block.im(row) + first,
                   &d_phasors[size_t(2) * phasor * tile + place],
                   n);
        }
        d_index += n;
        first += n;
    }
}

void oscillator_bank::fill_tile()
{
    for (size_t i = 0; i < d_start.size(); i++)
        ramp(i);
    for (size_t o = 0; o < d_walk.size(); o++)
        add_noise(int(o));
    for (int p = 0; p < d_n_phasors; p++)
        phasors(&d_ramp[(d_start.size() == 1 ? 0 : p) * tile],
                &d_noise[(d_walk.size() == 1 ? 0 : p) * tile],
                &d_phasors[size_t(2) * p * tile]);
}

void oscillator_bank::ramp(size_t i)
{
    const double rate = d_settings.offset[i] / d_settings.sample_rate;
    const double start = d_start[i] + fraction(double(d_index - d_since) * rate);
    linear_phase(&d_ramp[i * tile], start, fraction(rate));
}

// The phase noise of an oscillator in turns: steps are summed to the walk, then the floor comes on
// top.
void oscillator_bank::add_noise(int oscillator)
{
    static const std::array<float, strip_size> ones = [] {
        std::array<float, strip_size> all;
        all.fill(1.0f);
        return all;
    }();
    const bool user = d_settings.is_transmitter;
    float* turns = &d_noise[size_t(oscillator) * tile];
    const auto normal = [&](noise_effect effect, float* out) {
        counter_normal(d_settings.seed, noise_substream(effect, oscillator), d_index, tile, out);
    };
    std::fill_n(turns, tile, 0.0f);
    if (d_step > 0) {
        normal(user ? noise_effect::transmit_phase_walk : noise_effect::phase_walk, turns);
        scale(turns, d_step);
    }
    if (!d_flicker.empty())
        d_flicker[oscillator].add_steps(d_index / tile, turns);
    if (d_step > 0 || !d_flicker.empty()) {
        const float moved = recursion(turns, 1.0f, ones.data(), 0.0f);
        const float start = float(d_walk[oscillator]);
        for (int i = 0; i < tile; i++)
            turns[i] += start;
        d_walk[oscillator] = fraction(d_walk[oscillator] + moved);
    }
    if (d_floor > 0) {
        normal(user ? noise_effect::transmit_phase_floor : noise_effect::phase_floor,
               d_normal.data());
        multiply_add(turns, d_floor, d_normal.data());
    }
}

} // namespace thzum
} // namespace gr
