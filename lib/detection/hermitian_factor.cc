/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "detection/hermitian_factor.h"
#include <cmath>

namespace gr {
namespace thzum {

namespace {

/*! Upper triangle of G[i][j] = sum_r h[i][r] conj(h[j][r]), where row i of h is column i of H,
 * conjugated. */
THZUM_MULTIVERSION
void gram_kernel(
    const double* h_re, const double* h_im, int n, int n_rx, int stride, double* g_re, double* g_im)
{
    for (int i = 0; i < n; i++)
        for (int j = i; j < n; j++) {
            const double* a_re = h_re + i * stride;
            const double* a_im = h_im + i * stride;
            const double* b_re = h_re + j * stride;
            const double* b_im = h_im + j * stride;
            double re = 0.0, im = 0.0;
            for (int r = 0; r < n_rx; r++) {
                re += a_re[r] * b_re[r] + a_im[r] * b_im[r];
                im += a_im[r] * b_re[r] - a_re[r] * b_im[r];
            }
            g_re[i * n + j] = re;
            g_im[i * n + j] = i == j ? 0.0 : im;
        }
}

/*! In-place U^H U factor of the upper triangle; false when a pivot falls to dependence * its
 * column's energy. */
THZUM_MULTIVERSION
bool cholesky_kernel(double* re, double* im, int n, double loading, double dependence)
{
    for (int i = 0; i < n; i++) {
        re[i * n + i] += loading;
        im[i * n + i] = dependence * re[i * n + i]; // the diagonal is real: keep its limit here
    }
    for (int j = 0; j < n; j++) {
        if (re[j * n + j] <= im[j * n + j])
            return false;
        const double scale = 1.0 / std::sqrt(re[j * n + j]);
        re[j * n + j] *= scale;
        im[j * n + j] = 0.0;
        for (int c = j + 1; c < n; c++) {
            re[j * n + c] *= scale;
            im[j * n + c] *= scale;
        }
        for (int i = j + 1; i < n; i++) {
            const double u_re = re[j * n + i], u_im = im[j * n + i];
            re[i * n + i] -= u_re * u_re + u_im * u_im;
#pragma GCC ivdep
            for (int c = i + 1; c < n; c++) {
                re[i * n + c] -= u_re * re[j * n + c] + u_im * im[j * n + c];
                im[i * n + c] -= u_re * im[j * n + c] - u_im * re[j * n + c];
            }
        }
    }
    return true;
}

/*! B = U^-H B, row by row. The columns from \p full on are the identity: U^-H is lower triangular.
 */
THZUM_MULTIVERSION
void forward_kernel(
    const double* u_re, const double* u_im, int n, double* b_re, double* b_im, int width, int full)
{
    for (int j = 0; j < n; j++) {
        const double scale = 1.0 / u_re[j * n + j];
        const int used = full + j + 1;
        for (int c = 0; c < used; c++) {
            b_re[j * width + c] *= scale;
            b_im[j * width + c] *= scale;
        }
        for (int i = j + 1; i < n; i++) {
            const double re = u_re[j * n + i], im = u_im[j * n + i];
#pragma GCC ivdep
            for (int c = 0; c < used; c++) {
                b_re[i * width + c] -= re * b_re[j * width + c] + im * b_im[j * width + c];
                b_im[i * width + c] -= re * b_im[j * width + c] - im * b_re[j * width + c];
            }
        }
    }
}

/*! B = U^-1 B for the first \p used columns. */
THZUM_MULTIVERSION
void backward_kernel(
    const double* u_re, const double* u_im, int n, double* b_re, double* b_im, int width, int used)
{
    for (int i = n - 1; i >= 0; i--) {
        for (int j = i + 1; j < n; j++) {
            const double re = u_re[i * n + j], im = u_im[i * n + j];
#pragma GCC ivdep
            for (int c = 0; c < used; c++) {
                b_re[i * width + c] -= re * b_re[j * width + c] - im * b_im[j * width + c];
                b_im[i * width + c] -= re * b_im[j * width + c] + im * b_re[j * width + c];
            }
        }
        const double scale = 1.0 / u_re[i * n + i];
        for (int c = 0; c < used; c++) {
            b_re[i * width + c] *= scale;
            b_im[i * width + c] *= scale;
        }
    }
}

} // namespace

hermitian_factor::hermitian_factor(int n_rx, int max_columns)
    : d_n_rx(n_rx),
      d_re(static_cast<size_t>(max_columns) * max_columns),
      d_im(d_re.size()),
      d_rhs_re(static_cast<size_t>(max_columns) * (n_rx + max_columns)),
      d_rhs_im(d_rhs_re.size()),
      d_inverse_diagonal(max_columns)
{
}

void hermitian_factor::load(const gr_complex* H, int n)
{
    d_n = n;
    for (int i = 0; i < n; i++) {
        double* re = &d_rhs_re[static_cast<size_t>(i) * width()];
        double* im = &d_rhs_im[static_cast<size_t>(i) * width()];
        for (int r = 0; r < d_n_rx; r++) {
            re[r] = H[r * n + i].real();
            im[r] = -static_cast<double>(H[r * n + i].imag());
        }
        for (int c = 0; c < n; c++) {
            re[d_n_rx + c] = c == i ? 1.0 : 0.0;
            im[d_n_rx + c] = 0.0;
        }
    }
    gram_kernel(d_rhs_re.data(), d_rhs_im.data(), n, d_n_rx, width(), d_re.data(), d_im.data());
}

double hermitian_factor::total_energy() const
{
    double sum = 0.0;
    for (int i = 0; i < d_n; i++)
        sum += d_re[i * d_n + i];
    return sum;
}

std::complex<double> hermitian_factor::gram(int row, int column) const
{
    const int at = row <= column ? row * d_n + column : column * d_n + row;
    return { d_re[at], row <= column ? d_im[at] : -d_im[at] };
}

bool hermitian_factor::factor(double loading)
{
    return cholesky_kernel(d_re.data(), d_im.data(), d_n, loading, dependence);
}

void hermitian_factor::solve()
{
    forward_kernel(
        d_re.data(), d_im.data(), d_n, d_rhs_re.data(), d_rhs_im.data(), width(), d_n_rx);
    // Those columns are U^-H now, and the inverse is U^-1 U^-H: its diagonal holds their energies.
    for (int k = 0; k < d_n; k++) {
        double energy = 0.0;
        for (int i = k; i < d_n; i++) {
            const size_t at = static_cast<size_t>(i) * width() + d_n_rx + k;
            energy += d_rhs_re[at] * d_rhs_re[at] + d_rhs_im[at] * d_rhs_im[at];
        }
        d_inverse_diagonal[k] = energy;
    }
    backward_kernel(
        d_re.data(), d_im.data(), d_n, d_rhs_re.data(), d_rhs_im.data(), width(), d_n_rx);
}

} // namespace thzum
} // namespace gr
