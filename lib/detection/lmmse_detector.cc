/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detection/detectors.h"
#include "detection/linear_detector.h"
#include <algorithm>

namespace gr {
namespace thzum {

namespace {

/*!
 * Linear minimum mean-square error filter, scaled to be unbiased (Tse and Viswanath, Fundamentals
 * of Wireless Communication, section 8.3.3). With A = H^H H + noise_var I the filter A^-1 H^H gives
 * (1 - m) x + error, where m = noise_var [A^-1]_kk is the mean-square error, and the error variance
 * after scaling is m / (1 - m).
 */
class lmmse_detector : public linear_detector
{
public:
    lmmse_detector(const detector_sizes& sizes, const option_reader& options)
        : linear_detector("lmmse", sizes, options)
    {
    }

protected:
    std::pair<const double*, const double*> solve(hermitian_factor& factor,
                                                  int n_active,
                                                  double noise_var,
                                                  double* gain,
                                                  double* error) override
    {
        // More users than chains leave only the noise to make A invertible: keep that above
        // rounding.
        const double loading =
            std::max(noise_var, 2 * hermitian_factor::dependence * factor.total_energy());
        factor.factor(loading);
        factor.invert();
        for (int a = 0; a < n_active; a++) {
            const double left = loading * factor.inverse_re()[a * factor.stride() + a];
            gain[a] = std::max(1.0 - left, 1e-14);
            error[a] = left / gain[a];
        }
        return { factor.inverse_re(), factor.inverse_im() };
    }
};

} // namespace

detector_entry lmmse_entry()
{
    return { { "lmmse",
               "linear minimum mean-square error, unbiased, with exact error variances",
               { llr_option() } },
             [](const detector_sizes& sizes, const option_reader& options) {
                 return std::make_shared<lmmse_detector>(sizes, options);
             } };
}

} // namespace thzum
} // namespace gr
