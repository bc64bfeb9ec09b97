/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "detection/real_model.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {

namespace {

/*! Row i of H^T H from the transposed H. */
THZUM_MULTIVERSION
void gram_row(const float* transposed, int columns, int row_stride, int i, float* out)
{
    const float* a = transposed + static_cast<long>(i) * row_stride;
    for (int j = 0; j < columns; j++) {
        const float* b = transposed + static_cast<long>(j) * row_stride;
        double sum = 0.0;
        for (int r = 0; r < row_stride; r++)
            sum += static_cast<double>(a[r]) * b[r];
        out[j] = static_cast<float>(sum);
    }
}

} // namespace

real_model::real_model(int n_rx, int max_users, int axes)
    : d_n_rx(n_rx),
      d_max_users(max_users),
      d_axes(axes),
      d_matrix(static_cast<size_t>(2 * n_rx) * max_column_stride()),
      d_transposed(static_cast<size_t>(max_columns()) * padded(2 * n_rx))
{
}

void real_model::set(int row, int column, double value)
{
    d_matrix[static_cast<size_t>(row) * column_stride() + column] = static_cast<float>(value);
    d_transposed[static_cast<size_t>(column) * row_stride() + row] = static_cast<float>(value);
}

void real_model::load(const gr_complex* H, int users, float noise_var)
{
    d_users = users;
    double energy = 0.0;
    for (int i = 0; i < d_n_rx * users; i++)
        energy += std::norm(std::complex<double>(H[i]));
    const double column_energy = users > 0 ? energy / users : 1.0;
    d_scale = 1.0 / std::sqrt(column_energy);
    const double relative = 0.5 * noise_var / column_energy;
    d_noise_var = static_cast<float>(std::clamp(relative, min_noise_var, max_noise_var));
    d_gain = std::max(1.0, relative / max_noise_var);
    std::fill_n(d_matrix.begin(), static_cast<size_t>(rows()) * column_stride(), 0.0f);
    const std::complex<double> turn = d_axes == 1
                                          ? d_scale * std::sqrt(0.5) * std::complex<double>(1, 1)
                                          : std::complex<double>(d_scale);
    for (int r = 0; r < d_n_rx; r++)
        for (int a = 0; a < users; a++) {
            const auto h = std::complex<double>(H[r * users + a]) * turn;
            set(r, a, h.real());
            set(d_n_rx + r, a, h.imag());
            if (d_axes == 2) {
                set(r, users + a, -h.imag());
                set(d_n_rx + r, users + a, h.real());
            }
        }
}

void real_model::load_received(const gr_complex* y, int count, float* out) const
{
    constexpr double limit = 1e12;
    const double scale = d_scale / d_gain;
    const auto scaled = [&](float value) {
        return static_cast<float>(std::clamp(scale * value, -limit, limit));
    };
    for (int b = 0; b < count; b++) {
        float* to = out + static_cast<size_t>(b) * row_stride();
        for (int r = 0; r < d_n_rx; r++) {
            to[r] = scaled(y[b * d_n_rx + r].real());
            to[d_n_rx + r] = scaled(y[b * d_n_rx + r].imag());
        }
    }
}

void real_model::gram(std::vector<float>& out) const
{
    std::fill_n(out.begin(), static_cast<size_t>(columns()) * column_stride(), 0.0f);
    for (int i = 0; i < columns(); i++)
        gram_row(d_transposed.data(), columns(), row_stride(), i, &out[i * column_stride()]);
}

} // namespace thzum
} // namespace gr
