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
        : linear_detector("lmmse", sizes, options), d_factor(sizes.n_rx, sizes.n_tx)
    {
    }

protected:
    void prepare(const gr_complex* H, int n_active, float noise_var) override
    {
        d_factor.load(H, n_active);
        const double energy = d_factor.total_energy();
        clear_filter(energy, noise_var);
        // More users than chains leave only the noise to make A invertible: keep that above
        // rounding.
        const double loading =
            std::max<double>(noise_var, 2 * hermitian_factor::dependence * energy);
        d_factor.factor(loading);
        d_factor.solve();
        for (int a = 0; a < n_active; a++) {
            const double gain = std::max(1.0 - loading * d_factor.inverse_diagonal(a), 1e-14);
            for (int r = 0; r < n_rx(); r++)
                d_row[r] = d_factor.filter(a, r);
            set_filter(a, d_row.data(), gain, loading * d_factor.inverse_diagonal(a) / gain);
        }
    }

private:
    hermitian_factor d_factor;
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
