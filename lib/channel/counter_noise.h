/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_CHANNEL_COUNTER_NOISE_H
#define INCLUDED_THZUM_CHANNEL_COUNTER_NOISE_H

#include <gnuradio/thzum/api.h>
#include <array>
#include <cstddef>
#include <cstdint>

namespace gr {
namespace thzum {

/*!
 * What a sequence of random numbers is for; the same numbers as the Effect of the Python module
 * channel/counter_noise.py, which describes the numbering of the noise in full.
 */
enum class noise_effect : uint32_t {
    thermal = 1,     /*!< index: RF chain; part 0 is I, part 1 is Q */
    phase_floor = 2, /*!< of the receiver; index: oscillator */
    phase_walk = 3,
    phase_flicker = 4,        /*!< part: number of the first-order process */
    transmit_phase_floor = 5, /*!< of a user; index: user */
    transmit_phase_walk = 6,
    transmit_phase_flicker = 7,
};

/*! Number of the sequence for \p part (below 256) of \p effect at the RF chain or user \p index. */
constexpr uint64_t noise_substream(noise_effect effect, uint32_t index = 0, uint32_t part = 0)
{
    return uint64_t(uint32_t(effect) << 8 | part) << 32 | index;
}

/*! Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC 2011): the four words at \p counter. */
THZUM_API std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter,
                                             std::array<uint32_t, 2> key);

/*!
 * \brief Standard normal numbers first .. first + count - 1 of the sequence \p substream of \p
 * seed.
 *
 * A function of its arguments alone: any piece of a sequence may be had at any time, in any order.
 * Equal to the Python module within 2e-6. Does not allocate.
 */
THZUM_API void
counter_normal(uint64_t seed, uint64_t substream, uint64_t first, size_t count, float* out);

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_CHANNEL_COUNTER_NOISE_H */
