/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detection/real_detector.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {

real_detector::real_detector(const std::string& name,
                             const detector_sizes& sizes,
                             const option_reader& options,
                             int max_count)
    : detector_base(name, sizes, options),
      d_max_count(max_count),
      d_model(sizes.n_rx, sizes.n_tx, find_constellation(sizes.constellation).axes),
      d_levels(find_constellation(sizes.constellation).levels),
      d_y(static_cast<size_t>(max_count) * d_model.row_stride()),
      d_r(static_cast<size_t>(max_count) * d_model.max_column_stride()),
      d_v(d_r.size())
{
}

void real_detector::prepare(const gr_complex* H, int n_active, float noise_var)
{
    d_model.load(H, n_active, noise_var);
    if (n_active > 0)
        prepare_model();
}

void real_detector::equalise(const gr_complex* y, int count, gr_complex* x_hat, float* variance)
{
    std::fill_n(x_hat, static_cast<size_t>(count) * n_tx(), gr_complex(0));
    std::fill_n(variance, static_cast<size_t>(count) * n_tx(), 1.0f);
    if (d_model.users() == 0)
        return;
    for (int first = 0; first < count; first += d_max_count) {
        const int n = std::min(d_max_count, count - first);
        d_model.load_received(y + static_cast<size_t>(first) * n_rx(), n, d_y.data());
        run(d_y.data(), n, d_r.data(), d_v.data());
        const size_t offset = static_cast<size_t>(first) * n_tx();
        join_axes(d_r.data(), d_v.data(), n, x_hat + offset, variance + offset);
    }
}

void real_detector::join_axes(
    const float* r, const float* v, int count, gr_complex* x_hat, float* variance) const
{
    const int stride = d_model.column_stride();
    const int users = d_model.users();
    const float diagonal = std::sqrt(0.5f);
    for (int b = 0; b < count; b++)
        for (int a = 0; a < users; a++) {
            const float* at = r + b * stride + a;
            const float* error = v + b * stride + a;
            gr_complex x = diagonal * gr_complex(at[0], at[0]);
            double total = 2.0 * error[0];
            if (d_model.axes() == 2) {
                x = { at[0], at[users] };
                total = static_cast<double>(error[0]) + error[users];
            }
            if (!std::isfinite(x.real()) || !std::isfinite(x.imag()) || !std::isfinite(total)) {
                x = 0;
                total = max_variance;
            }
            // A variance beyond the largest reported is brought down together with the estimate,
            // which keeps the LLR.
            const double reported = d_model.gain() * total;
            const double limit = std::min(1.0, max_variance / reported);
            x *= static_cast<float>(d_model.gain() * limit);
            const int to = b * n_tx() + active()[a];
            x_hat[to] = x;
            variance[to] =
                static_cast<float>(std::clamp<double>(reported, min_variance, max_variance));
        }
}

} // namespace thzum
} // namespace gr
