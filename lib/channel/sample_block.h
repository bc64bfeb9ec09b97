/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_CHANNEL_SAMPLE_BLOCK_H
#define INCLUDED_THZUM_CHANNEL_SAMPLE_BLOCK_H

#include <gnuradio/gr_complex.h>
#include <gnuradio/thzum/api.h>
#include <cstddef>
#include <vector>

namespace gr {
namespace thzum {

/*!
 * \brief A short stretch of several streams, real and imaginary parts apart.
 *
 * Small enough to stay in the fastest cache while one model after the other works on it. Models
 * work on padded_count() samples, whose surplus means nothing: every sample then takes the same way
 * through the vector unit, and a stream comes out the same however it is cut.
 */
class THZUM_API sample_block
{
public:
    static constexpr int capacity = 256;
    static constexpr int lanes = 16;

    explicit sample_block(int rows) : d_rows(rows), d_parts(size_t(2) * rows * capacity) {}

    int rows() const { return d_rows; }
    float* re(int row) { return &d_parts[size_t(2) * row * capacity]; }
    float* im(int row) { return re(row) + capacity; }

    int count = 0; /*!< valid samples of each row, up to capacity */
    int padded_count() const { return (count + lanes - 1) / lanes * lanes; }

    /*!
     * Takes over samples \p first .. first + n - 1 of every row's stream. NaN, infinity and
     * magnitudes from 2^60 on, whose powers a float could not hold, become zero. \returns how many
     * samples were replaced
     */
    int load(const gr_complex* const* rows, int first, int n);

    /*! Writes the valid samples into every row's stream from sample \p first on. */
    void store(gr_complex* const* rows, int first);

private:
    int d_rows;
    std::vector<float> d_parts; // [row][re, im][capacity]
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_CHANNEL_SAMPLE_BLOCK_H */
