/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_DENOISING_ERROR_CURVE_H
#define INCLUDED_THZUM_DENOISING_ERROR_CURVE_H

#include <vector>

namespace gr {
namespace thzum {

/*!
 * \brief Measured NMSE of a denoiser over the noise level, both in dB.
 *
 * Linear between the points and, with the slope of the nearest two, beyond them; at most 0 dB, and
 * at most 3 dB below the best point, because a network is not told levels lower than it was trained
 * for.
 */
class error_curve
{
public:
    /*! \throws std::invalid_argument unless both have the same length and noise levels increase */
    error_curve(const std::vector<double>& noise_db, const std::vector<double>& nmse_db);

    double at(double noise_db) const;

private:
    std::vector<double> d_noise_db;
    std::vector<double> d_nmse_db;
    double d_best;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_DENOISING_ERROR_CURVE_H */
