/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_SYNC_PULSE_H
#define INCLUDED_THZUM_SYNC_PULSE_H

#include <gnuradio/gr_complex.h>
#include <gnuradio/thzum/api.h>
#include <vector>

namespace gr {
namespace thzum {

/*!
 * \brief A truncated root-raised-cosine pulse of unit energy, as shaping and as matched filter
 * between samples.
 *
 * A real pulse of \p span symbols, zero outside. Taps are kept for 128 fractions of a sample.
 */
class THZUM_API pulse_bank
{
public:
    static constexpr int fractions = 128;

    pulse_bank(double rolloff, int span, int samples_per_symbol);

    int n_taps() const { return d_n_taps; }

    /*! Samples in front of an instant that its taps reach. */
    int reach() const { return d_reach; }

    /*! Taps over the samples n - reach() ... of the instant n + \p fraction / fractions, 0 <=
     * fraction <= fractions. */
    const float* taps(int fraction) const { return &d_taps[size_t(fraction) * d_n_taps]; }

    /*!
     * \brief Matched filter at one instant.
     * \param samples the stream; those from \p instant - reach() to + reach() + 1 are read
     * \param instant in samples
     */
    gr_complex at(const gr_complex* samples, double instant) const;

    /*! Matched filter at the instants 0 .. count - 1 of \p samples, \p fraction / fractions later.
     * Samples -reach() to count + reach() are read, the last one with a fraction only. */
    void filter(const gr_complex* samples, int count, gr_complex* out, int fraction = 0) const;

private:
    int d_reach;
    int d_n_taps;
    std::vector<float> d_taps; // [fractions + 1][n_taps]
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_SYNC_PULSE_H */
