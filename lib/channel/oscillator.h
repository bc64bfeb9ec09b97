/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_CHANNEL_OSCILLATOR_H
#define INCLUDED_THZUM_CHANNEL_OSCILLATOR_H

#include "channel/counter_noise.h"
#include "channel/sample_block.h"
#include <array>
#include <vector>

namespace gr {
namespace thzum {

/*! What an oscillator does to its samples; the same meanings as the Python models PhaseNoise and
 * FrequencyOffset. */
struct oscillator_settings {
    double sample_rate = 1.0;    /*!< in Hz */
    std::vector<double> offset;  /*!< in Hz; none, one for all rows, or one for each */
    double phase = 0.0;          /*!< of the first sample in rad */
    double k0 = 0.0;             /*!< in rad^2/Hz */
    double k2 = 0.0;             /*!< in rad^2 Hz */
    double k3 = 0.0;             /*!< in rad^2 Hz^2 */
    double flicker_low = 0.0;    /*!< in Hz; 0 is sample_rate / 1e6 */
    bool shared = false;         /*!< one oscillator for all rows */
    uint64_t seed = 0;           /*!< of the phase noise */
    bool is_transmitter = false; /*!< a user's oscillator has noise of its own */
};

/*! First-order processes whose sum is 1/f frequency noise of one oscillator. */
class THZUM_API flicker_noise
{
public:
    flicker_noise(const oscillator_settings& settings, uint32_t oscillator);

    /*! Adds the phase steps of samples 256 \p tile … to \p turns, [256]; tiles must come in order.
     */
    void add_steps(uint64_t tile, float* turns);

private:
    struct process {
        uint64_t substream;
        uint64_t hold; // samples between draws
        float pole, drive;
        float value;
        std::array<float, 32> powers; // of the pole
        uint64_t next = 0;            // number to be drawn
        std::array<float, 128> drawn;
    };

    void add_every_sample(process& p, uint64_t tile, float* turns);
    void add_held(process& p, uint64_t tile, float* turns);
    float draw(process& p);

    uint64_t d_seed;
    float d_turns_per_hz; // in one sample
    std::vector<process> d_processes;
    std::vector<float> d_scratch; // [256]
};

/*!
 * \brief Local oscillators of several streams: frequency offset, and phase noise of the spectrum
 * k0 + k2 / f^2 + k3 / |f|^3.
 *
 * Phases are made by tiles of 256 samples at fixed places of the stream, so that they do not depend
 * on how it is cut. Changes take effect from the next tile on.
 */
class THZUM_API oscillator_bank
{
public:
    oscillator_bank(const oscillator_settings& settings, int rows);

    /*! True when there is neither an offset nor noise; the samples may then pass by. */
    bool is_idle() const;

    /*! Multiplies the block's samples, the next of the stream, by exp(j phase). */
    void apply(sample_block& block);

    /*! New offsets (as many as before), with continuous phase. */
    void set_offset(const std::vector<double>& offset);

    /*! New floor and Wiener levels. */
    void set_levels(double k0, double k2);

private:
    static constexpr int tile = sample_block::capacity;

    void fill_tile();
    void add_noise(int oscillator);
    void ramp(size_t i);

    oscillator_settings d_settings;
    int d_rows;
    uint64_t d_index = 0;        // of the next sample
    std::vector<double> d_start; // [offsets] phase in turns at the sample d_since
    uint64_t d_since = 0;
    float d_floor = 0.0f; // standard deviations in turns
    float d_step = 0.0f;
    std::vector<double> d_walk; // [oscillators] turns at the start of the next tile
    std::vector<flicker_noise> d_flicker;
    std::vector<float> d_ramp;    // [offsets][tile] turns
    std::vector<float> d_noise;   // [oscillators][tile] turns
    std::vector<float> d_normal;  // [tile]
    std::vector<float> d_phasors; // [phasor rows][cos, sin][tile]
    int d_n_phasors;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_CHANNEL_OSCILLATOR_H */
