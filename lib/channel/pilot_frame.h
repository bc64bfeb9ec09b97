/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_CHANNEL_PILOT_FRAME_H
#define INCLUDED_THZUM_CHANNEL_PILOT_FRAME_H

#include <gnuradio/gr_complex.h>
#include <gnuradio/thzum/api.h>
#include <vector>

namespace gr {
namespace thzum {

/*! Layout of a frame on every RF chain: silence, pilot slots of one chip sequence each, data. */
struct pilot_frame_layout {
    int n_chains; /*!< S, RF chains */
    int n_noise;  /*!< silent samples in front */
    int n_slots;  /*!< Q, combiner settings */
    int n_users;  /*!< K, users that send pilots at the same time */
    int n_data;   /*!< data symbols after the pilots */
};

/*!
 * \brief One received frame: collects its samples, then separates the users and measures the noise.
 *
 * In slot q user k sends the chips s_k[p], |s_k[p]| = 1, of a sequence orthogonal to those of the
 * other users; chain s receives r[s,q,p] = sum_k y_k[s,q] s_k[p] + n. Despreading by y_k[s,q] =
 * (1/P) sum_p conj(s_k[p]) r[s,q,p] divides the variance of n by P. Where P > K, the P - K
 * sequences that complete the basis carry noise alone, and add S Q (P - K) noise samples to the S
 * n_noise silent ones.
 *
 * Allocates at construction only; serves one thread at a time.
 */
class THZUM_API pilot_frame
{
public:
    /*!
     * \param layout sizes; n_noise and n_data may be 0
     * \param sequences [K][P] with P >= K; empty stands for the rows of a K-point DFT
     * \throws std::invalid_argument on sizes out of range, sequences of another shape, chips off
     * the unit circle, sequences that are not orthogonal, or a layout that leaves no noise sample
     */
    pilot_frame(const pilot_frame_layout& layout, const std::vector<gr_complex>& sequences);

    const pilot_frame_layout& layout() const { return d_layout; }

    /*! Chips per slot P. */
    int n_chips() const { return d_n_chips; }

    /*! Samples of one frame on each chain. */
    int n_samples() const { return d_n_pilots_end + d_layout.n_data; }

    /*! Observations of one user, M = S * Q. */
    int n_observations() const { return d_layout.n_chains * d_layout.n_slots; }

    /*! Noise-only dimensions that the noise variance is averaged over. */
    int noise_dimensions() const;

    /*! Samples collected so far. */
    int filled() const { return d_filled; }

    bool is_complete() const { return d_filled == n_samples(); }

    /*! Forget what was collected: the next sample is the first of a frame. */
    void restart() { d_filled = 0; }

    /*!
     * \brief Collect samples of all chains.
     * \param samples [S] pointers
     * \param offset first sample to read behind each pointer
     * \param count samples offered per chain
     * \returns samples taken per chain, fewer than \p count where the frame ends
     */
    int collect(const gr_complex* const* samples, int offset, int count);

    /*!
     * \brief Separate the users of a complete frame.
     * \returns false when a sample of the noise or pilot section is NaN or infinite, or so large
     * that despreading overflows; the results are then void
     */
    bool despread();

    /*! Observations [S][Q] of user \p user, as despread() left them. */
    const gr_complex* observations(int user) const;

    /*! Data symbols of all chains at \p index, [S]. */
    const gr_complex* data(int index) const;

    /*! False when a chain's sample at data symbol \p index is NaN or infinite. */
    bool data_is_finite(int index) const;

    /*! Noise variance of one sample. Floored 100 dB below the pilots, and at 1e-30: never zero. */
    double sample_noise_var() const { return d_sample_noise_var; }

    /*! Noise variance of one observation, sample_noise_var() / P. */
    double noise_var() const { return d_sample_noise_var / d_n_chips; }

    /*! Mean power of a sample of the pilot section over all chains. */
    double pilot_power() const { return d_pilot_power; }

private:
    void complete_basis(const std::vector<gr_complex>& sequences);
    void collect_noise(const gr_complex* const* samples, int offset, int count);
    void collect_pilots(const gr_complex* const* samples, int offset, int count);
    void collect_data(const gr_complex* const* samples, int offset, int count);

    pilot_frame_layout d_layout;
    int d_n_chips;
    int d_n_pilots_end; // samples of the noise and pilot sections
    int d_filled = 0;

    std::vector<float> d_basis_re;         // [P][P] conj(s_k[p]) / P, then the noise-only sequences
    std::vector<float> d_basis_im;         // scaled to unit norm
    std::vector<gr_complex> d_noise;       // [S][n_noise]
    std::vector<float> d_pilots_re;        // [P][S][Q]: chip-major, so that despreading runs over
    std::vector<float> d_pilots_im;        // contiguous observations
    std::vector<gr_complex> d_data;        // [n_data][S]
    std::vector<float> d_sum_re, d_sum_im; // [S][Q]
    std::vector<gr_complex> d_y;           // [K][S][Q]
    double d_sample_noise_var = 0.0;
    double d_pilot_power = 0.0;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_CHANNEL_PILOT_FRAME_H */
