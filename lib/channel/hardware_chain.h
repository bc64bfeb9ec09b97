/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_CHANNEL_HARDWARE_CHAIN_H
#define INCLUDED_THZUM_CHANNEL_HARDWARE_CHAIN_H

#include "channel/adc.h"
#include "channel/amplifier.h"
#include "channel/iq_imbalance.h"
#include "channel/oscillator.h"
#include "channel/sampling_offset.h"
#include <gnuradio/thzum/options.h>
#include <memory>
#include <optional>

namespace gr {
namespace thzum {

struct amplifier_settings {
    double smoothness = 2.0;
    double saturation = 1.0; /*!< amplitude */
};

struct iq_settings {
    double amplitude_db = 0.0;
    double phase_deg = 0.0;
};

/*! The users' transmitters; what is absent is ideal. */
struct transmitter_settings {
    std::optional<amplifier_settings> power_amplifier;
    oscillator_settings oscillator;
};

/*! The RF chains of the receiver; what is absent is ideal. */
struct receiver_settings {
    std::optional<amplifier_settings> low_noise_amplifier;
    oscillator_settings oscillator;
    std::optional<iq_settings> iq_imbalance;
    std::optional<double> sampling_offset_ppm;
    std::optional<adc_settings> converter;
};

/*! Options of a receiver, with defaults, units and ranges; the names are those of the Python class
 * Hardware and its models. A block may list them among its own. */
THZUM_API std::vector<option_info> receiver_options();

/*! Options of the users' transmitters. */
THZUM_API std::vector<option_info> transmitter_options();

/*! \throws std::invalid_argument naming the option that is out of range */
THZUM_API receiver_settings read_receiver(const option_reader& options, double sample_rate);

/*! \throws std::invalid_argument naming the option that is out of range */
THZUM_API transmitter_settings read_transmitter(const option_reader& options,
                                                double sample_rate,
                                                int n_users);

/*! Frequency offset, phase noise and power amplifier of every user, in this order. */
class THZUM_API transmitter_chain
{
public:
    transmitter_chain(const transmitter_settings& settings, int n_users);

    /*! Impairs the users' next samples. */
    void apply(sample_block& block);

private:
    oscillator_bank d_oscillators;
    std::optional<rapp_amplifier> d_amplifier;
};

/*!
 * \brief A receiver's RF chains: low-noise amplifier, frequency offset, phase noise, I/Q imbalance,
 * sampling clock, ADC; sample for sample the Python method Hardware.receive.
 *
 * Allocates when it is built and not when it runs. One thread at a time.
 */
class THZUM_API receiver_chain
{
public:
    receiver_chain(const receiver_settings& settings, int n_chains);

    /*! Everything before the sampling clock. */
    void front_end(sample_block& block);

    /*! The ADC. */
    void convert(sample_block& block);

    /*! The sampling clock, null without a sampling offset. */
    sampling_offset* clock() { return d_clock.get(); }
    const sampling_offset* clock() const { return d_clock.get(); }

    struct progress {
        int consumed = 0;
        int produced = 0;
        int replaced = 0; /*!< samples taken as zero for NaN, infinity or excess */
    };

    /*! Runs the whole chain over streams of n_chains rows. */
    progress process(const gr_complex* const* in, int available, gr_complex* const* out, int room);

    /*!
     * Other settings from the next samples on (phase noise and frequency offset from the next tile
     * of 256). Parts may come, go and change their values; memories of parts that stay go on.
     * \throws std::invalid_argument when the sampling offset, an oscillator's seed or sharing, its
     * flicker noise, or the number of offsets would change; then all settings stay
     */
    void update(const receiver_settings& settings);

private:
    progress resample(const gr_complex* const* in, int available, gr_complex* const* out, int room);

    receiver_settings d_settings;
    int d_n_chains;
    std::optional<rapp_amplifier> d_amplifier;
    oscillator_bank d_oscillators;
    std::optional<iq_imbalance> d_mixer;
    std::unique_ptr<sampling_offset> d_clock;
    std::optional<adc> d_adc;
    sample_block d_block;
    sample_block d_resampled;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_CHANNEL_HARDWARE_CHAIN_H */
