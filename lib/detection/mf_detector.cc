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
        : linear_detector("mf", sizes, options),
          d_identity(hermitian_factor::padded(sizes.n_tx) * sizes.n_tx),
          d_zero(d_identity.size())
    {
    }

protected:
    std::pair<const double*, const double*> solve(hermitian_factor& factor,
                                                  int n_active,
                                                  double noise_var,
                                                  double* gain,
                                                  double* error) override
    {
        std::fill(d_identity.begin(), d_identity.end(), 0.0);
        std::fill_n(error, n_active, 0.0);
        for (int a = 0; a < n_active; a++) {
            d_identity[a * factor.stride() + a] = 1.0;
            for (int b = a + 1; b < n_active; b++) {
                const double interference = std::norm(factor.gram(a, b));
                error[a] += interference;
                error[b] += interference;
            }
        }
        for (int a = 0; a < n_active; a++) {
            gain[a] = factor.gram(a, a).real();
            error[a] = (error[a] / gain[a] + noise_var) / gain[a];
        }
        return { d_identity.data(), d_zero.data() };
    }

private:
    std::vector<double> d_identity, d_zero; // [n_tx][stride]
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
