/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_DETECTION_LINEAR_DETECTOR_H
#define INCLUDED_THZUM_DETECTION_LINEAR_DETECTOR_H

#include "detection/detector_base.h"
#include "detection/hermitian_factor.h"

namespace gr {
namespace thzum {

/*!
 * \brief Detector whose estimate is W y: the filter W and the error variances belong to the
 * channel.
 *
 * A vector then costs n_tx * n_rx complex products and the demapping.
 */
class linear_detector : public detector_base
{
public:
    linear_detector(const std::string& name,
                    const detector_sizes& sizes,
                    const option_reader& options);

protected:
    void equalise(const gr_complex* y, int count, gr_complex* x_hat, float* variance) override;

    /*! Forgets the filter of the channel before. \param channel_energy sum of |H|^2 */
    void clear_filter(double channel_energy, float noise_var);

    /*!
     * \brief Sets the filter of one active user.
     * \param row [n_rx] filter that gives gain * x + error
     * \param variance error variance after division by gain
     */
    void set_filter(int a, const std::complex<double>* row, double gain, double variance);

    /*! Scratch for one filter row, [n_rx]. */
    std::vector<std::complex<double>> d_row;

private:
    double d_receive_energy = 0.0;
    int d_width;                       // users rounded up to whole SIMD registers
    std::vector<float> d_re, d_im;     // W transposed, [n_rx][width]
    std::vector<float> d_out;          // one vector's estimates: [2][width]
    std::vector<float> d_filter_error; // [n_tx] error variance of x_hat
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_DETECTION_LINEAR_DETECTOR_H */
