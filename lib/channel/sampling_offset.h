/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_CHANNEL_SAMPLING_OFFSET_H
#define INCLUDED_THZUM_CHANNEL_SAMPLING_OFFSET_H

#include "channel/sample_block.h"
#include <cstdint>
#include <vector>

namespace gr {
namespace thzum {

/*!
 * \brief A receiver clock that runs \p ppm fast: y[m] = x(m / (1 + ppm 1e-6)) in input samples.
 *
 * The Python model SamplingOffset: interpolation by a Kaiser-windowed sinc of 48 taps, here from a
 * table with linear interpolation between 1024 fractions (error below 1e-6 of a tap). Output m
 * needs the input up to floor(m / rate) + 24; samples before the first are zero.
 */
class THZUM_API sampling_offset
{
public:
    /*! Inputs that an output needs beyond its instant. */
    static constexpr int lookahead = 24;

    /*! \param ppm within +-1e5 */
    sampling_offset(double ppm, int rows);

    double rate() const { return d_rate; }

    /*! Inputs after which no more than \p room outputs are due, at most a block. */
    int acceptable(int room) const;

    /*! Takes the samples of \p block, the next of the stream. All outputs due must have been taken.
     */
    void push(sample_block& block);

    /*! Fills \p block with the next outputs, none when more input is needed. */
    void pull(sample_block& block);

    /*! Output index at or after the sample \p input of the input. */
    uint64_t output_index(uint64_t input) const;

private:
    static constexpr int half_taps = lookahead;
    static constexpr int taps = 2 * half_taps;
    static constexpr int fractions = 1024;
    static constexpr int room_size = sample_block::capacity + taps + 16;

    void drop_used();

    double d_rate;
    std::vector<float> d_table; // [fractions + 1][taps]
    std::vector<float> d_kept;  // [rows][re, im][room_size]
    int64_t d_first;            // input index of the first sample kept
    int d_n_kept;
    uint64_t d_next = 0; // output index
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_CHANNEL_SAMPLING_OFFSET_H */
