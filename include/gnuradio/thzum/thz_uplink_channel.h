/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_THZ_UPLINK_CHANNEL_H
#define INCLUDED_THZUM_THZ_UPLINK_CHANNEL_H

#include <gnuradio/block.h>
#include <gnuradio/thzum/api.h>
#include <gnuradio/thzum/uplink_channel.h>
#include <cstdint>
#include <vector>

namespace gr {
namespace thzum {

/*!
 * \brief Users' sample streams through a THz channel and analog combiners into RF chains.
 * \ingroup thzum
 *
 * Inputs: K streams of complex samples, one per user. Outputs: S streams of complex samples, one
 * per RF chain, as uplink_channel describes them; and (may stay unconnected) the true channels,
 * vectors of N, K of them in user order at every instant that the parameters ask for: as the
 * antennas see them at the carrier at that instant, without combiner, hardware and noise.
 *
 * Output sample m belongs to input sample m - latency(), with a sampling offset to that divided by
 * the clock's rate. The tags of input 0 go to every RF chain, moved accordingly; those of the other
 * inputs go nowhere. At the end of the inputs what is still due comes out. Tags on every true
 * channel: \p thzum_user (long), \p thzum_frame (long, counts the instants), \p thzum_sample
 * (long, the RF chains' sample of the instant).
 *
 * Message port \p control takes dictionaries: \p entry (long) for a fixed combiner, or \p entries
 * and \p lengths (s32vectors, vectors or lists of integers) for a frame that repeats, either with
 * \p sample (long), the channel time from which on it is in force, by default now; \p noise_var
 * (number). What else a combiner_control sends is ignored. Port \p report gives a dictionary with
 * \p bad_samples (long) when some counted as zero.
 */
class THZUM_API thz_uplink_channel : virtual public gr::block
{
public:
    using sptr = std::shared_ptr<thz_uplink_channel>;

    /*! \throws std::invalid_argument naming the parameter, what was expected and what came */
    static sptr make(const uplink_parameters& parameters);

    /*!
     * \brief Another frame of combiners, which begins at channel time \p sample or now if that has
     * passed.
     * \throws std::invalid_argument for entries that the table does not have or empty frames
     */
    virtual void set_schedule(const std::vector<int>& entries,
                              const std::vector<int64_t>& lengths,
                              int64_t sample) = 0;

    /*! One combiner from now on. */
    virtual void set_entry(int entry) = 0;

    /*! \throws std::invalid_argument unless finite and >= 0; the value before stays */
    virtual void set_noise_var(double noise_var) = 0;
    virtual double noise_var() const = 0;

    /*! Samples by which outputs lag behind inputs. */
    virtual int latency() const = 0;

    /*! Samples that counted as zero. */
    virtual uint64_t bad_samples() const = 0;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_THZ_UPLINK_CHANNEL_H */
