/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/amp_step.h"
#include <algorithm>
#include <cfloat>
#include <cmath>

namespace gr {
namespace thzum {
namespace estimation {

amp_step::amp_step(observation_model::sptr model, int max_batch)
    : d_model(std::move(model)),
      d_sigma(d_model->singular_values()),
      d_observed(0),
      d_projected(size_t(max_batch) * d_sigma.size())
{
    double energy = 0.0;
    for (const float s : d_sigma) {
        energy += double(s) * s;
        d_observed += s > 0.0f;
    }
    d_column_norm = static_cast<float>(std::sqrt(energy / d_model->coefficients()));
    for (auto& s : d_sigma)
        s /= d_column_norm;
}

void amp_step::run(const gr_complex* z,
                   const gr_complex* x,
                   const float* divergence,
                   float damping,
                   int batch,
                   gr_complex* e,
                   gr_complex* r,
                   float* tau2)
{
    const int length = static_cast<int>(d_sigma.size());
    const int coefficients = d_model->coefficients();
    d_model->to_singular(x, d_projected.data(), batch);
    for (int b = 0; b < batch; ++b) {
        const size_t begin = size_t(b) * length;
        const float onsager = divergence[b] * coefficients / d_observed;
        double energy = 0.0;
        for (int i = 0; i < length; ++i) {
            gr_complex& own = e[begin + i];
            const gr_complex fresh =
                z[begin + i] / d_column_norm - d_sigma[i] * d_projected[begin + i] + onsager * own;
            own = (1.0f - damping) * fresh + damping * own;
            energy += std::norm(own);
            d_projected[begin + i] = d_sigma[i] * own;
        }
        tau2[b] = static_cast<float>(std::max(energy / d_observed, double(FLT_MIN)));
    }
    d_model->from_singular(d_projected.data(), r, batch);
    for (int i = 0; i < batch * coefficients; ++i)
        r[i] += x[i];
}

} // namespace estimation
} // namespace thzum
} // namespace gr
