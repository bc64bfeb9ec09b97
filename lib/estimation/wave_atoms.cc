/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/wave_atoms.h"
#include "measurement/slepian.h"
#include <cmath>
#include <complex>

namespace gr {
namespace thzum {
namespace estimation {

wave_atoms::axis::axis(const visible_region::sptr& region, bool rows)
{
    const auto& settings = rows ? region->row_axis() : region->col_axis();
    size = settings.size;
    n_slepian = settings.n_slepian;
    const Eigen::MatrixXd all =
        slepian_sequences(settings.size, settings.half_bandwidth, settings.n_slepian);
    for (int m = 0; 2 * m < size; ++m)
        for (int k = 0; k < n_slepian; ++k)
            sequences.push_back(all(m, k));
}

// An element and its mirror image add up: twice the cosine for symmetric sequences; for the
// antisymmetric ones the conjugate of their factor j makes twice the sine of it. The element in the
// middle, if there is one, stands alone. From one element to the next the phase turns by the same
// angle.
void wave_atoms::axis::evaluate(double cycles, double* wave, double* slope) const
{
    for (int k = 0; k < n_slepian; ++k)
        wave[k] = slope[k] = 0.0;
    const std::complex<double> turn = std::polar(1.0, 2.0 * M_PI * cycles);
    std::complex<double> phasor = std::polar(1.0, -M_PI * cycles * (size - 1));
    for (int m = 0; 2 * m < size; ++m) {
        const double radians = 2.0 * M_PI * (m - 0.5 * (size - 1)); // per cycle
        const double weight = 2 * m + 1 == size ? 1.0 : 2.0;
        const double cosine = weight * phasor.real(), sine = weight * phasor.imag();
        const double* sequence = &sequences[size_t(m) * n_slepian];
        for (int k = 0; k < n_slepian; k += 2) {
            wave[k] += sequence[k] * cosine;
            slope[k] -= sequence[k] * radians * sine;
        }
        for (int k = 1; k < n_slepian; k += 2) {
            wave[k] += sequence[k] * sine;
            slope[k] += sequence[k] * radians * cosine;
        }
        phasor = { phasor.real() * turn.real() - phasor.imag() * turn.imag(),
                   phasor.real() * turn.imag() + phasor.imag() * turn.real() };
    }
}

wave_atoms::wave_atoms(const visible_region::sptr& region)
    : d_row(region, true),
      d_col(region, false),
      d_p(d_row.n_slepian),
      d_p_slope(d_row.n_slepian),
      d_q(d_col.n_slepian),
      d_q_slope(d_col.n_slepian)
{
}

void wave_atoms::evaluate(double u, double v, float* wave, float* along_u, float* along_v)
{
    d_row.evaluate(v, d_p.data(), d_p_slope.data());
    d_col.evaluate(u, d_q.data(), d_q_slope.data());
    for (int i = 0; i < row_size(); ++i)
        for (int j = 0; j < col_size(); ++j) {
            const int at = i * col_size() + j;
            wave[at] = static_cast<float>(d_p[i] * d_q[j]);
            along_u[at] = static_cast<float>(d_p[i] * d_q_slope[j]);
            along_v[at] = static_cast<float>(d_p_slope[i] * d_q[j]);
        }
}

} // namespace estimation
} // namespace thzum
} // namespace gr
