/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_UPLINK_CHANNEL_H
#define INCLUDED_THZUM_UPLINK_CHANNEL_H

#include <gnuradio/gr_complex.h>
#include <gnuradio/thzum/api.h>
#include <gnuradio/thzum/array_shape.h>
#include <gnuradio/thzum/options.h>
#include <cstdint>
#include <memory>
#include <vector>

namespace gr {
namespace thzum {

/*!
 * \brief Which combiner is in force when: a frame of table entries that repeats, in both directions
 * of time.
 */
struct uplink_schedule {
    std::vector<int> entries;     /*!< rows of the combiner table */
    std::vector<int64_t> lengths; /*!< samples of each, >= 1 */
    int64_t start;                /*!< channel time at which a frame begins */
};

/*!
 * \brief Everything that an uplink_channel needs to know.
 *
 * UplinkChannel.parameters() of the Python package fills this from a path table. B realisations, K
 * users, L paths, S subarrays, E combiners. Paths whose gain is zero at all subarrays cost nothing.
 */
struct uplink_parameters {
    array_shape shape;                 /*!< subarrays and their rows and columns */
    int n_realisations;                /*!< B */
    int n_users;                       /*!< K */
    int n_paths;                       /*!< L */
    std::vector<gr_complex> gain;      /*!< [B][K][L][S] at the centre of the subarray */
    std::vector<gr_complex> along_y;   /*!< [B][K][L][S][rows] plane wave over a subarray's rows */
    std::vector<gr_complex> along_x;   /*!< [B][K][L][S][cols] and over its columns */
    std::vector<double> delay;         /*!< [B][K][L] in samples, 0 .. 65536 */
    std::vector<double> doppler;       /*!< [B][K][L] in cycles per sample */
    int delay_taps;                    /*!< of the interpolation, even, 4 .. 32 */
    std::vector<gr_complex> combiners; /*!< [E][S][rows * cols], applied without conjugation */
    uplink_schedule schedule;
    int64_t coherence_samples; /*!< until the next realisation; 0 keeps the first */
    double noise_var;          /*!< antenna noise variance of a sample, >= 0 */
    int64_t h_interval;        /*!< samples between true channels; 0: at every new realisation */
    int64_t h_offset;          /*!< channel time of the first one, with an h_interval */
    uint64_t seed;             /*!< of the noise */
    double sample_rate;        /*!< in Hz, for the hardware */
    option_map hardware;       /*!< see uplink_channel::hardware_options(); empty is ideal */
};

/*!
 * \brief The uplink at sample rate: users' samples in, RF chains' samples out.
 *
 * At channel time t (t = 0 is the first input sample), with combiner entry e and realisation b in
 * force since t_b,
 *
 *     y_s(t) = sum_k sum_l g[s,k,l] exp(2j pi nu_l (t - t_b)) x_k(t - d_l) + noise,
 *     g[s,k,l] = sum_n c_e[s,n] h_l[s,n],
 *
 * h_l being path l's plane wave over each subarray. The Doppler phase is exact at every sample.
 * Delays between samples are made by a Kaiser-windowed sinc that looks latency() samples ahead, so
 * the first output has the channel time -latency(). Noise is white with variance noise_var ||c||^2.
 * The users' transmitters act on x, the receiver's hardware on y.
 *
 * Each path is delayed once for all RF chains. The class UplinkChannel of the Python package is the
 * same in float64. Whatever the pieces in which samples come, the results are the same bit by bit.
 *
 * Allocates at construction only; serves one thread at a time.
 */
class THZUM_API uplink_channel
{
public:
    using sptr = std::shared_ptr<uplink_channel>;

    /*! What process() did. */
    struct progress {
        int consumed; /*!< samples of every user */
        int produced; /*!< samples of every RF chain; differs with a sampling offset */
    };

    /*! Options of the users' transmitters and of the receiver: amplifiers, oscillators, converters.
     */
    static std::vector<option_info> hardware_options();

    /*! \throws std::invalid_argument naming the parameter, what was expected and what came */
    static sptr make(const uplink_parameters& parameters);

    virtual ~uplink_channel() = default;

    virtual int n_users() const = 0;
    virtual const array_shape& shape() const = 0;
    virtual int n_entries() const = 0;

    /*! Samples by which an output lags behind the input of the same number. */
    virtual int latency() const = 0;

    /*! Samples of zeros that bring out what is due at the end of a stream. */
    virtual int tail() const = 0;

    /*! RF chains' sample at or after the one that belongs to an input sample. */
    virtual uint64_t output_index(uint64_t input) const = 0;

    /*! Channel time that the next input sample completes. */
    virtual int64_t time() const = 0;

    /*!
     * \brief Pass as many samples as there are and as there is room for.
     * \param x [K] pointers; a sample that is not finite, or 2^60 and more, counts as zero
     * \param available samples of every user
     * \param y [S] pointers
     * \param room samples of every RF chain
     */
    virtual progress
    process(const gr_complex* const* x, int available, gr_complex* const* y, int room) = 0;

    /*! Channel \p h [N] of a user at any channel time: no combiner, no noise. */
    virtual void true_channel(int64_t sample, int user, gr_complex* h) = 0;

    /*! Earliest channel time at or after \p sample at which true channels are due; the largest
     * int64_t if there is none. */
    virtual int64_t next_channel_sample(int64_t sample) const = 0;

    /*!
     * \brief Another schedule from channel time \p sample on, or from time() on if that is later.
     *
     * Changes that were asked for a later time before are dropped.
     * \throws std::invalid_argument for entries that the table does not have or empty frames
     */
    virtual void set_schedule(const uplink_schedule& schedule, int64_t sample) = 0;

    /*! \throws std::invalid_argument unless finite and >= 0 */
    virtual void set_noise_var(double noise_var) = 0;
    virtual double noise_var() const = 0;

    /*! Samples that counted as zero. */
    virtual uint64_t bad_samples() const = 0;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_UPLINK_CHANNEL_H */
