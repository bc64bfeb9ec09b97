/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detection/detectors.h"
#include "detection/linear_detector.h"

namespace gr {
namespace thzum {

namespace {

/*! Matched filter h^H / ||h||^2 of each user; all others are Gaussian noise to it. */
class mf_detector : public linear_detector
{
public:
    mf_detector(const detector_sizes& sizes, const option_reader& options)
        : linear_detector("mf", sizes, options), d_factor(sizes.n_rx, sizes.n_tx)
    {
    }

protected:
    void prepare(const gr_complex* H, int n_active, float noise_var) override
    {
        d_factor.load(H, n_active);
        clear_filter(d_factor.total_energy(), noise_var);
        for (int a = 0; a < n_active; a++) {
            const double energy = d_factor.gram(a, a).real();
            double interference = 0.0;
            for (int b = 0; b < n_active; b++)
                if (b != a)
                    interference += std::norm(d_factor.gram(a, b));
            for (int r = 0; r < n_rx(); r++)
                d_row[r] = std::conj(std::complex<double>(H[r * n_active + a])) / energy;
            set_filter(a, d_row.data(), 1.0, (interference / energy + noise_var) / energy);
        }
    }

private:
    hermitian_factor d_factor;
};

} // namespace

detector_entry mf_entry()
{
    return { { "mf", "matched filter: other users are noise to it", { llr_option() } },
             [](const detector_sizes& sizes, const option_reader& options) {
                 return std::make_shared<mf_detector>(sizes, options);
             } };
}

} // namespace thzum
} // namespace gr
