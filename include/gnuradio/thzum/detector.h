/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_DETECTOR_H
#define INCLUDED_THZUM_DETECTOR_H

#include <gnuradio/gr_complex.h>
#include <gnuradio/thzum/api.h>
#include <gnuradio/thzum/options.h>
#include <cstdint>
#include <memory>

namespace gr {
namespace thzum {

/*! Points of a Gray-mapped constellation of 3GPP TS 38.211, unit energy. Index = bits, first bit
 * most significant. \param name "bpsk", "qpsk", "16qam", "64qam" or "256qam" */
THZUM_API const std::vector<gr_complex>& constellation_points(const std::string& name);

/*! Names constellation_points() knows. */
THZUM_API std::vector<std::string> constellation_names();

/*!
 * \brief MIMO detector of y = H x + n, n white of variance noise_var, E|x|^2 = 1.
 *
 * set_channel() does what depends on the channel alone, once per coherence block; detect() is then
 * run on the received vectors of that block. A column of H that is exactly zero is an absent user:
 * symbol -1, LLR 0, x_hat 0. Allocates at construction; serves one thread at a time.
 */
class THZUM_API detector
{
public:
    using sptr = std::shared_ptr<detector>;

    virtual ~detector() = default;
    virtual std::string name() const = 0;
    virtual int n_rx() const = 0;
    virtual int n_tx() const = 0;
    virtual const std::string& constellation() const = 0;
    virtual int bits_per_symbol() const = 0;

    /*!
     * \param H [n_rx][n_tx], finite
     * \param noise_var variance of one complex receive sample, > 0
     * \throws std::invalid_argument on NaN, Inf or noise_var <= 0; the channel before stays in
     * force
     */
    virtual void set_channel(const gr_complex* H, float noise_var) = 0;

    /*!
     * \brief Detect \p count received vectors of the present channel.
     * \param y [count][n_rx], finite
     * \param symbols [count][n_tx] index into constellation_points(), -1 for an absent user
     * \param llr [count][n_tx][bits] or nullptr: log P(bit=0) / P(bit=1)
     * \param x_hat [count][n_tx] or nullptr: unbiased equalised symbol
     * \param variance [count][n_tx] or nullptr: error variance of x_hat
     */
    virtual void detect(const gr_complex* y,
                        int count,
                        int32_t* symbols,
                        float* llr,
                        gr_complex* x_hat,
                        float* variance) = 0;

    /*! One line with every setting. */
    virtual std::string repr() const = 0;
};

/*! Detectors by name. */
THZUM_API const std::vector<algorithm_info>& detectors();

/*!
 * \brief A detector by name.
 * \throws std::invalid_argument for unknown names, constellations, options or sizes
 */
THZUM_API detector::sptr make_detector(const std::string& name,
                                       int n_rx,
                                       int n_tx,
                                       const std::string& constellation,
                                       const option_map& options = {});

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_DETECTOR_H */
