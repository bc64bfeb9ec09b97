/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_MIMO_DETECTOR_H
#define INCLUDED_THZUM_MIMO_DETECTOR_H

#include <gnuradio/block.h>
#include <gnuradio/thzum/detector.h>

namespace gr {
namespace thzum {

/*!
 * \brief MIMO detector block: effective channel and received vectors in, symbols and soft bits out.
 * \ingroup thzum
 *
 * In 0: H, gr_complex vectors of n_rx*n_tx, row-major [n_rx][n_tx], one per coherence block. In 1:
 * y, gr_complex vectors of n_rx, block_length per coherence block. Of these, n_symbols from \p
 * offset on are detected, so that sections of a frame in different constellations go to detectors
 * of their own.
 *
 * A tag thzum_vectors (long) on an H item says how many y follow that channel, in place of
 * block_length: all after the first \p offset are then detected.
 *
 * Out, one item per detected y: 0 symbols, int32 vectors of n_tx (index into
 * constellation_points(), -1 = none); 1 llr, float vectors of n_tx*bits, [n_tx][bits], log
 * P(bit=0)/P(bit=1); 2 x_hat, gr_complex vectors of n_tx, unbiased symbol estimates; 3 variance,
 * float vectors of n_tx, their error variances; 4 posterior, float vectors of n_tx, the variance of
 * the symbol itself given x_hat, from 0 (sure) to 1 (nothing known). Trailing outputs may stay
 * unconnected.
 *
 * The noise variance of a receive sample is \p noise_var if that is positive, else the tag
 * thzum_noise_var of the H item. A column of H that is zero is an absent user: symbol -1, LLR 0,
 * x_hat 0, variance 1, posterior 0.
 *
 * A tag thzum_noise_scale (f32vector of n_rx numbers above 0) on an H item is the noise variance of
 * each receive sample over that; the rows of H and y are then scaled so that the noise is white.
 *
 * Tags of a y item may turn the columns of H from there to the end of the coherence block: \p
 * thzum_user_phase (f64vector of n_tx) by so many radians, \p thzum_user_reference (c32vector of
 * n_rx*n_tx, G = c H + noise of a receive sample) by the angle of each column of G against that of
 * H where it stands out of the noise. frame_sync sets them for users with a frequency or phase of
 * their own.
 *
 * What cannot be detected becomes symbols -1, zeros and the tag thzum_skipped, and is counted: a y
 * with NaN or Inf alone (nan); the whole coherence block when its H is not finite (nan) or has no
 * usable noise variance or scale (noise_var, no_noise_var, noise_scale).
 *
 * Tags of an H item go to the first vector of its coherence block, those of a y item to its own.
 *
 * Message out, port `report`: a dictionary per finished coherence block: frame (if tagged),
 * algorithm, noise_var, users (present), vectors, skipped (vectors), latency_us (time spent in the
 * algorithm).
 *
 * Message in, port `control`: a dictionary with any of algorithm (symbol), options (dictionary) and
 * noise_var (number, 0 = from tags), or one such (key . value) pair. A malformed one is logged and
 * dropped.
 */
class THZUM_API mimo_detector : virtual public gr::block
{
public:
    using sptr = std::shared_ptr<mimo_detector>;

    /*!
     * \param algorithm one of detectors()
     * \param n_rx receive samples per vector (RF chains)
     * \param n_tx users
     * \param constellation one of constellation_names()
     * \param n_symbols received vectors to detect per coherence block, at least 1
     * \param noise_var variance of one complex receive sample; 0 = from the tag thzum_noise_var
     * \param options of the algorithm, as detectors() lists them
     * \param offset vectors of a coherence block before those to detect, left out
     * \param block_length vectors of y per coherence block, those after the ones to detect are left
     * out too; 0 = offset + n_symbols \throws std::invalid_argument for unknown names or options,
     * sizes out of range, a negative or non-finite noise_var
     */
    static sptr make(const std::string& algorithm,
                     int n_rx,
                     int n_tx,
                     const std::string& constellation,
                     int n_symbols,
                     double noise_var = 0.0,
                     const option_map& options = {},
                     int offset = 0,
                     int block_length = 0);

    /*!
     * \brief Change the algorithm while running; it takes over at once, within a coherence block
     * too.
     *
     * Sizes and constellation stay. When building throws, the old one stays.
     * \throws std::invalid_argument for unknown names or options
     */
    virtual void set_algorithm(const std::string& name, const option_map& options = {}) = 0;

    /*!
     * \brief Change the constellation while running, from the next received vector on.
     *
     * Sizes of items stay, so that its bits per symbol must be those at construction while the
     * soft bits are connected; without them any will do.
     * \throws std::invalid_argument for unknown names, other numbers of bits, or one that the
     * algorithm does not serve; the old one stays
     */
    virtual void set_constellation(const std::string& constellation) = 0;

    virtual std::string constellation() const = 0;

    /*! \param noise_var variance of one complex receive sample from the next coherence block on;
     *         0 = from the tag
     * \throws std::invalid_argument when negative or not finite */
    virtual void set_noise_var(double noise_var) = 0;

    /*! Name of the present algorithm. */
    virtual std::string algorithm() const = 0;

    /*! Settings of the present algorithm in one line. */
    virtual std::string settings() const = 0;

    virtual double noise_var() const = 0;

    /*! Vectors detected so far. */
    virtual uint64_t detected() const = 0;

    /*! Vectors skipped so far. */
    virtual uint64_t skipped() const = 0;

    /*! Largest number of vectors that one call of the algorithm has had. */
    virtual int largest_batch() const = 0;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_MIMO_DETECTOR_H */
