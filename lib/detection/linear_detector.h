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
#include <utility>

namespace gr {
namespace thzum {

/*!
 * \brief Detector whose estimate is a Hermitian matrix M, which belongs to the channel, times H^H
 * y.
 *
 * In double precision like the matrix, and in this order, a new channel costs no product of H with
 * M, and a vector n_tx (n_rx + n_tx) complex products and the demapping.
 */
class linear_detector : public detector_base
{
public:
    linear_detector(const std::string& name,
                    const detector_sizes& sizes,
                    const option_reader& options);

protected:
    void prepare(const gr_complex* H, int n_active, float noise_var) final;
    void equalise(const gr_complex* y, int count, gr_complex* x_hat, float* variance) override;

    /*!
     * \brief Finds M such that M H^H y is gain * x + error.
     *
     * \param factor holds the channel and its Gram matrix; M may be left in it
     * \param gain, error [n_active] gains, and error variances after division by them
     * \return real and imaginary parts of M, [n_active][factor.stride()], columns past n_active
     * zero
     */
    virtual std::pair<const double*, const double*> solve(
        hermitian_factor& factor, int n_active, double noise_var, double* gain, double* error) = 0;

private:
    int d_n_active = 0;
    hermitian_factor d_factor;
    const double* d_re = nullptr; // M
    const double* d_im = nullptr;
    std::vector<double> d_gain, d_error, d_scale;
    std::vector<double> d_matched_re, d_matched_im; // H^H y of one vector
    std::vector<double> d_out_re, d_out_im;
    std::vector<float> d_filter_error; // [n_tx] error variance of x_hat
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_DETECTION_LINEAR_DETECTOR_H */
