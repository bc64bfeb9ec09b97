/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "channel/counter_noise.h"
#include "channel/hardware_chain.h"
#include "channel/sample_block.h"
#include "channel/uplink_delays.h"
#include "channel/uplink_history.h"
#include "channel/uplink_kernels.h"
#include "channel/uplink_timeline.h"
#include "channel/uplink_waves.h"
#include "common/multiversion.h"
#include <gnuradio/thzum/uplink_channel.h>
#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <sstream>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

using complexd = std::complex<double>;

constexpr int cell_size = 128; // samples of a realisation that share one exact Doppler phasor

template <class T>
[[noreturn]] void reject(const char* argument, const std::string& expected, const T& got)
{
    std::ostringstream message;
    message << argument << ": expected " << expected << ", got " << got;
    throw std::invalid_argument(message.str());
}

template <class T>
void check_size(const char* argument, const std::vector<T>& values, size_t size, const char* layout)
{
    if (values.size() != size)
        reject(argument,
               std::string(layout) + ", " + std::to_string(size) + " values",
               std::to_string(values.size()) + " values");
}

double checked_noise_var(double noise_var)
{
    if (!(std::isfinite(noise_var) && noise_var >= 0.0 &&
          noise_var < std::numeric_limits<float>::max()))
        reject("noise_var", "a finite number >= 0", noise_var);
    return noise_var;
}

void check_sizes(const uplink_parameters& p)
{
    for (const auto& [name, value] : { std::pair{ "n_subarrays", p.shape.n_subarrays },
                                       std::pair{ "rows", p.shape.rows },
                                       std::pair{ "cols", p.shape.cols },
                                       std::pair{ "n_realisations", p.n_realisations },
                                       std::pair{ "n_users", p.n_users },
                                       std::pair{ "n_paths", p.n_paths } })
        if (value < 1)
            reject(name, "an integer of at least 1", value);
    const size_t paths = size_t(p.n_realisations) * p.n_users * p.n_paths;
    const size_t waves = paths * p.shape.n_subarrays;
    check_size("gain", p.gain, waves, "[realisations][users][paths][subarrays]");
    check_size("along_y", p.along_y, waves * p.shape.rows, "gain's axes and [rows]");
    check_size("along_x", p.along_x, waves * p.shape.cols, "gain's axes and [cols]");
    check_size("delay", p.delay, paths, "[realisations][users][paths]");
    check_size("doppler", p.doppler, paths, "[realisations][users][paths]");
    if (p.combiners.empty() || p.combiners.size() % p.shape.antennas() != 0)
        reject("combiners",
               "[entries][subarrays][elements], a multiple of " +
                   std::to_string(p.shape.antennas()) + " values",
               std::to_string(p.combiners.size()) + " values");
}

void check(const uplink_parameters& p)
{
    check_sizes(p);
    for (const double delay : p.delay)
        if (!(delay >= 0.0 && delay <= max_uplink_delay))
            reject("delay", "0 to " + std::to_string(max_uplink_delay) + " samples", delay);
    for (const double doppler : p.doppler)
        if (!(std::abs(doppler) <= 0.5))
            reject("doppler",
                   "within +-0.5 cycles per sample; raise the sample rate or lower the speed",
                   doppler);
    if (p.delay_taps < min_delay_taps || p.delay_taps > max_delay_taps || p.delay_taps % 2 != 0)
        reject("delay_taps", "an even number from 4 to 32", p.delay_taps);
    for (const auto& [name, value] : { std::pair{ "coherence_samples", p.coherence_samples },
                                       std::pair{ "h_interval", p.h_interval },
                                       std::pair{ "h_offset", p.h_offset } })
        if (value < 0)
            reject(name, "an integer of at least 0", value);
    checked_noise_var(p.noise_var);
}

// A phasor after a number of cycles; whole cycles are dropped before precision is lost to them.
complexd phasor(double cycles)
{
    const double angle = 2.0 * M_PI * (cycles - std::floor(cycles));
    return { std::cos(angle), std::sin(angle) };
}

// y += deviation * noise
THZUM_MULTIVERSION_ORDERED
void add_scaled(const float* __restrict noise, float deviation, float* __restrict y, int count)
{
    for (int i = 0; i < count; i++)
        y[i] += deviation * noise[i];
}

class uplink_channel_impl : public uplink_channel
{
public:
    explicit uplink_channel_impl(const uplink_parameters& p)
        : d_shape(p.shape),
          d_n_realisations(p.n_realisations),
          d_n_users(p.n_users),
          d_n_paths(p.n_paths),
          d_taps(p.delay_taps),
          d_coherence(p.coherence_samples),
          d_h_interval(p.h_interval),
          d_h_offset(p.h_offset),
          d_seed(p.seed),
          d_noise_var(p.noise_var),
          d_waves(p),
          d_timeline(p.schedule, int(p.combiners.size() / p.shape.antennas())),
          d_n_entries(int(p.combiners.size() / p.shape.antennas())),
          d_doppler(p.doppler),
          d_history(p.n_users, reach(p)),
          d_time(-delay_latency(p.delay_taps)),
          d_x(p.n_users),
          d_y(p.shape.n_subarrays),
          d_resampled(p.shape.n_subarrays),
          d_transmitters(read_transmitter(hardware_of(p), p.sample_rate, p.n_users), p.n_users),
          d_receiver(read_receiver(hardware_of(p), p.sample_rate), p.shape.n_subarrays)
    {
        lay_out_delays(p.delay);
        const size_t width = d_waves.width();
        d_path_weights.resize(p.n_paths);
        d_active.reserve(width);
        for (auto* plane : { &d_turn_re, &d_turn_im, &d_late_re, &d_late_im })
            plane->resize(width * late_stride);
        for (auto* plane : { &d_anchor_re, &d_anchor_im, &d_w_re, &d_w_im })
            plane->resize(width);
        for (auto* plane : { &d_noise_re, &d_noise_im })
            plane->resize(size_t(d_shape.n_subarrays) * sample_block::capacity);
    }

    int n_users() const override { return d_n_users; }
    const array_shape& shape() const override { return d_shape; }
    int n_entries() const override { return d_n_entries; }
    int latency() const override { return delay_latency(d_taps); }
    int64_t time() const override { return d_time; }
    uint64_t bad_samples() const override { return d_bad_samples; }
    double noise_var() const override { return d_noise_var; }
    void set_noise_var(double noise_var) override { d_noise_var = checked_noise_var(noise_var); }

    void set_schedule(const uplink_schedule& schedule, int64_t sample) override
    {
        d_timeline.set(schedule, sample, d_time);
    }

    int tail() const override
    {
        return latency() + (d_receiver.clock() ? sampling_offset::lookahead : 0);
    }

    uint64_t output_index(uint64_t input) const override
    {
        const uint64_t at = input + latency();
        return d_receiver.clock() ? d_receiver.clock()->output_index(at) : at;
    }

    progress
    process(const gr_complex* const* x, int available, gr_complex* const* y, int room) override
    {
        progress done{ 0, 0 };
        auto* clock = d_receiver.clock();
        for (;;) {
            const int left = room - done.produced;
            const int count = std::min({ available - done.consumed,
                                         clock ? clock->acceptable(left) : left,
                                         sample_block::capacity });
            if (count <= 0)
                return done;
            d_bad_samples += d_x.load(x, done.consumed, count);
            done.consumed += count;
            d_transmitters.apply(d_x);
            d_history.append(d_x);
            propagate(count);
            done.produced += receive(y, done.produced);
        }
    }

    void true_channel(int64_t sample, int user, gr_complex* h) override
    {
        const auto now = epoch_at(sample);
        for (int l = 0; l < d_n_paths; l++) {
            const int path = user * d_n_paths + l;
            d_path_weights[l] =
                gr_complex(phasor(doppler(now.realisation, path) * double(sample - now.begin)));
        }
        d_waves.response(now.realisation, user * d_n_paths, d_n_paths, d_path_weights.data(), h);
    }

    int64_t next_channel_sample(int64_t sample) const override
    {
        const int64_t step = d_h_interval > 0 ? d_h_interval : d_coherence;
        const int64_t start = d_h_interval > 0 ? d_h_offset : 0;
        if (sample <= start)
            return start;
        if (step == 0)
            return std::numeric_limits<int64_t>::max();
        return start + (sample - start + step - 1) / step * step;
    }

private:
    // A path's samples of one cell, padded by a tile.
    static constexpr int late_stride = cell_size + uplink_tile;

    // A realisation and the channel times during which it is in force.
    struct epoch {
        int realisation;
        int64_t begin;
        int64_t end;
    };

    static int reach(const uplink_parameters& p)
    {
        return int(*std::max_element(p.delay.begin(), p.delay.end())) + p.delay_taps;
    }

    void lay_out_delays(const std::vector<double>& delays)
    {
        d_filters.resize(delays.size() * d_taps);
        for (size_t i = 0; i < delays.size(); i++) {
            const double whole = std::floor(delays[i]);
            d_whole.push_back(int(whole));
            delay_filter(delays[i] - whole, d_taps, &d_filters[i * d_taps]);
        }
    }

    size_t row(int realisation, int path) const
    {
        return size_t(realisation) * d_n_users * d_n_paths + path;
    }
    double doppler(int realisation, int path) const { return d_doppler[row(realisation, path)]; }

    epoch epoch_at(int64_t time) const
    {
        constexpr int64_t never = std::numeric_limits<int64_t>::max();
        if (d_coherence == 0)
            return { 0, 0, never };
        const int64_t block = std::max<int64_t>(time / d_coherence, 0);
        const int64_t begin = block * d_coherence;
        return { int(block % d_n_realisations),
                 begin,
                 begin < never - d_coherence ? begin + d_coherence : never };
    }

    static option_reader hardware_of(const uplink_parameters& p)
    {
        return option_reader({ "hardware", "", uplink_channel::hardware_options() }, p.hardware);
    }

    // The receiver's hardware on d_y; returns how many samples came of it.
    int receive(gr_complex* const* y, int first)
    {
        d_receiver.front_end(d_y);
        if (!d_receiver.clock()) {
            d_receiver.convert(d_y);
            d_y.store(y, first);
            return d_y.count;
        }
        int produced = 0;
        d_receiver.clock()->push(d_y);
        for (;;) {
            d_receiver.clock()->pull(d_resampled);
            if (d_resampled.count == 0)
                return produced;
            d_receiver.convert(d_resampled);
            d_resampled.store(y, first + produced);
            produced += d_resampled.count;
        }
    }

    // Channel outputs of the samples appended last, noise included, into d_y.
    void propagate(int count)
    {
        d_y.count = count;
        if (d_noise_var > 0.0)
            draw_noise(count);
        for (int done = 0; done < count;) {
            const auto now = epoch_at(d_time + done);
            if (now.begin != d_epoch.begin || d_active.empty())
                enter(now);
            const int64_t age = d_time + done - now.begin;
            const int64_t cell = age >= 0 ? age / cell_size : -1;
            const int64_t cell_begin = now.begin + cell * cell_size;
            const int64_t end =
                std::min({ d_time + count, now.end, cell_begin + int64_t(cell_size) });
            const int run = int(end - d_time) - done;
            if (cell != d_cell)
                enter_cell(cell);
            delay_paths(done, int(age - cell * cell_size), run);
            combine(done, run);
            done += run;
        }
        d_time += count;
    }

    // Start a realisation: which paths there are, and their Doppler phasors within a cell.
    void enter(const epoch& now)
    {
        d_epoch = now;
        d_cell = std::numeric_limits<int64_t>::min();
        d_active.clear();
        for (int path = 0; path < d_n_users * d_n_paths; path++) {
            if (!d_waves.is_active(now.realisation, path))
                continue;
            const size_t at = d_active.size() * late_stride;
            d_active.push_back(path);
            const complexd step = phasor(doppler(now.realisation, path));
            complexd turn = 1.0;
            for (int i = 0; i < cell_size; i++, turn *= step) {
                d_turn_re[at + i] = float(turn.real());
                d_turn_im[at + i] = float(turn.imag());
            }
        }
    }

    void enter_cell(int64_t cell)
    {
        d_cell = cell;
        for (size_t i = 0; i < d_active.size(); i++) {
            const auto turn =
                phasor(doppler(d_epoch.realisation, d_active[i]) * double(cell * cell_size));
            d_anchor_re[i] = float(turn.real());
            d_anchor_im[i] = float(turn.imag());
        }
    }

    // Every path delayed and turned by its Doppler shift since the cell began.
    void delay_paths(int offset, int in_cell, int count)
    {
        for (size_t i = 0; i < d_active.size(); i++) {
            const int user = d_active[i] / d_n_paths;
            const size_t at = row(d_epoch.realisation, d_active[i]);
            float* late_re = &d_late_re[i * late_stride];
            float* late_im = &d_late_im[i * late_stride];
            delay_tiles(&d_filters[at * d_taps],
                        d_taps,
                        d_history.re(user) + offset - d_whole[at],
                        d_history.im(user) + offset - d_whole[at],
                        late_re,
                        late_im,
                        count);
            if (d_doppler[at] != 0.0)
                rotate(&d_turn_re[i * late_stride + in_cell],
                       &d_turn_im[i * late_stride + in_cell],
                       late_re,
                       late_im,
                       count);
        }
    }

    // The delayed paths behind the combiners in force, and the noise behind them.
    void combine(int offset, int count)
    {
        for (int done = 0; done < count;) {
            const int64_t now = d_time + offset + done;
            const auto interval = d_timeline.at(now);
            const int run = int(std::min(now + count - done, interval.end) - now);
            const auto gains = d_waves.combined(d_epoch.realisation, interval.entry);
            for (int s = 0; s < d_shape.n_subarrays; s++) {
                weigh_paths(gains.re + s * d_waves.width(),
                            gains.im + s * d_waves.width(),
                            d_active.data(),
                            d_anchor_re.data(),
                            d_anchor_im.data(),
                            d_w_re.data(),
                            d_w_im.data(),
                            int(d_active.size()));
                mix_paths(d_w_re.data(),
                          d_w_im.data(),
                          int(d_active.size()),
                          &d_late_re[done],
                          &d_late_im[done],
                          late_stride,
                          d_y.re(s) + offset + done,
                          d_y.im(s) + offset + done,
                          run);
                add_noise(s, offset + done, d_waves.row_norm(interval.entry, s), run);
            }
            done += run;
        }
    }

    // Noise of unit variance per part for the piece that starts at d_time.
    void draw_noise(int count)
    {
        for (int s = 0; s < d_shape.n_subarrays; s++)
            for (int part : { 0, 1 })
                counter_normal(
                    d_seed,
                    noise_substream(noise_effect::thermal, s, part),
                    uint64_t(d_time + latency()),
                    count,
                    &(part == 0 ? d_noise_re : d_noise_im)[size_t(s) * sample_block::capacity]);
    }

    void add_noise(int chain, int offset, float row_norm, int count)
    {
        if (d_noise_var == 0.0)
            return;
        const float deviation = float(std::sqrt(0.5 * d_noise_var)) * row_norm;
        const size_t at = size_t(chain) * sample_block::capacity + offset;
        add_scaled(&d_noise_re[at], deviation, d_y.re(chain) + offset, count);
        add_scaled(&d_noise_im[at], deviation, d_y.im(chain) + offset, count);
    }

    const array_shape d_shape;
    const int d_n_realisations, d_n_users, d_n_paths, d_taps;
    const int64_t d_coherence, d_h_interval, d_h_offset;
    const uint64_t d_seed;
    double d_noise_var;
    uplink_waves d_waves;
    uplink_timeline d_timeline;
    const int d_n_entries;
    std::vector<double> d_doppler; // [B][K][L]
    std::vector<int> d_whole;      // [B][K][L] delays without their fraction
    std::vector<float> d_filters;  // [B][K][L][taps]
    uplink_history d_history;
    int64_t d_time; // channel time of the next output
    uint64_t d_bad_samples = 0;
    sample_block d_x, d_y, d_resampled;
    transmitter_chain d_transmitters;
    receiver_chain d_receiver;

    epoch d_epoch{ 0, 0, 0 };
    int64_t d_cell = 0;                      // of d_anchor, counted from the beginning of the epoch
    std::vector<int> d_active;               // paths of the realisation that have a gain
    std::vector<float> d_turn_re, d_turn_im; // [path][late_stride] Doppler since the cell began
    std::vector<float> d_anchor_re, d_anchor_im; // [path] Doppler until then
    std::vector<float> d_late_re, d_late_im;     // [path][late_stride]
    std::vector<float> d_w_re, d_w_im;           // [path]
    std::vector<float> d_noise_re, d_noise_im;   // [S][sample_block::capacity]
    std::vector<gr_complex> d_path_weights;      // [L]
};

} // namespace

std::vector<option_info> uplink_channel::hardware_options()
{
    auto options = transmitter_options();
    const auto receiver = receiver_options();
    options.insert(options.end(), receiver.begin(), receiver.end());
    return options;
}

uplink_channel::sptr uplink_channel::make(const uplink_parameters& parameters)
{
    check(parameters);
    return std::make_shared<uplink_channel_impl>(parameters);
}

} // namespace thzum
} // namespace gr
