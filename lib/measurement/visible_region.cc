/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "measurement/checks.h"
#include "measurement/matrix_kernels.h"
#include "measurement/separable_transform.h"
#include "measurement/slepian.h"
#include <gnuradio/thzum/dictionary.h>
#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <limits>

namespace gr {
namespace thzum {

namespace {

constexpr double guard = 0.005;      // half bandwidth beyond the spacing, cycles per element
constexpr double grid_margin = 0.01; // zoom grid beyond the half bandwidth
constexpr double max_half_bandwidth = 0.5;
constexpr int extra_sequences = 3; // past the time-bandwidth product: energy falls off that fast
constexpr int extra_bins = 2;

void check_axis(const std::string& axis, const visible_region::axis& settings)
{
    const std::string where = "visible_region: " + axis;
    check_positive(where, "size", settings.size);
    check_range(where, "n_slepian", settings.n_slepian, 1, settings.size);
    check_range(where,
                "half_bandwidth",
                settings.half_bandwidth,
                std::numeric_limits<double>::min(),
                max_half_bandwidth);
    check_range(where, "grid", settings.grid, settings.n_slepian, 1 << 16);
    check_range(where, "span", settings.span, std::numeric_limits<double>::min(), 1);
}

/*! What Slepian sequence \p k is multiplied by: 1 if it is symmetric, j if antisymmetric. */
std::complex<double> phase(int k) { return k % 2 ? std::complex<double>(0, 1) : 1.0; }

Eigen::MatrixXd slepian_sequences(const visible_region::axis& axis)
{
    return thzum::slepian_sequences(axis.size, axis.half_bandwidth, axis.n_slepian);
}

/*! Zoom DFT of the sequences and their phases; real, since the imaginary parts cancel by symmetry.
 */
Eigen::MatrixXd zoom_matrix(const visible_region::axis& axis)
{
    Eigen::MatrixXcd dft(axis.grid, axis.size);
    for (int g = 0; g < axis.grid; g++) {
        const double position = axis.grid > 1 ? 2.0 * g / (axis.grid - 1) - 1 : -1;
        for (int i = 0; i < axis.size; i++)
            dft(g, i) = std::polar(1 / std::sqrt(double(axis.size)),
                                   -2 * M_PI * axis.span * position * (i - 0.5 * (axis.size - 1)));
    }
    Eigen::MatrixXcd transformed = dft * slepian_sequences(axis);
    for (int k = 0; k < axis.n_slepian; k++)
        transformed.col(k) *= phase(k);
    return transformed.real();
}

Eigen::MatrixXd pseudo_inverse(const Eigen::MatrixXd& matrix)
{
    return matrix.completeOrthogonalDecomposition().pseudoInverse();
}

class visible_region_impl : public visible_region
{
public:
    visible_region_impl(const axis& row_axis, const axis& col_axis)
        : d_row_axis(row_axis),
          d_col_axis(col_axis),
          d_analysis(slepian_sequences(row_axis).transpose(),
                     slepian_sequences(col_axis).transpose()),
          d_synthesis(slepian_sequences(row_axis), slepian_sequences(col_axis)),
          d_zoom(zoom_matrix(row_axis), zoom_matrix(col_axis)),
          d_unzoom(pseudo_inverse(zoom_matrix(row_axis)), pseudo_inverse(zoom_matrix(col_axis))),
          d_scratch(coefficients())
    {
        for (int r = 0; r < d_row_axis.n_slepian; r++)
            for (int c = 0; c < d_col_axis.n_slepian; c++)
                d_phase.push_back(gr_complex(phase(r) * phase(c)));
        for (const auto& value : d_phase)
            d_conjugate_phase.push_back(std::conj(value));
    }

    std::string name() const override { return "visible_region"; }
    int rows() const override { return d_row_axis.size; }
    int cols() const override { return d_col_axis.size; }
    int coefficients() const override { return d_row_axis.n_slepian * d_col_axis.n_slepian; }
    const axis& row_axis() const override { return d_row_axis; }
    const axis& col_axis() const override { return d_col_axis; }

    void analyze(const gr_complex* h, gr_complex* c, int count) override
    {
        const int k = coefficients();
        for (int i = 0; i < count; i++) {
            d_analysis.apply(h + size_t(i) * rows() * cols(), d_scratch.data());
            multiply_elements(d_conjugate_phase.data(), d_scratch.data(), c + size_t(i) * k, k);
        }
    }

    void synthesize(const gr_complex* c, gr_complex* h, int count) override
    {
        const int k = coefficients();
        for (int i = 0; i < count; i++) {
            multiply_elements(d_phase.data(), c + size_t(i) * k, d_scratch.data(), k);
            d_synthesis.apply(d_scratch.data(), h + size_t(i) * rows() * cols());
        }
    }

    void image(const gr_complex* c, float* image, int count) override
    {
        for (int i = 0; i < count; i++)
            d_zoom.apply_to_parts(c + size_t(i) * coefficients(), image + size_t(i) * pixels());
    }

    void from_image(const float* image, gr_complex* c, int count) override
    {
        for (int i = 0; i < count; i++)
            d_unzoom.apply_from_parts(image + size_t(i) * pixels(), c + size_t(i) * coefficients());
    }

private:
    int pixels() const { return 2 * d_row_axis.grid * d_col_axis.grid; }

    const axis d_row_axis;
    const axis d_col_axis;
    separable_transform d_analysis; // real Slepian sequences, the phases apart
    separable_transform d_synthesis;
    separable_transform d_zoom;
    separable_transform d_unzoom;
    volk::vector<gr_complex> d_phase; // [n_slepian of rows][n_slepian of columns]
    volk::vector<gr_complex> d_conjugate_phase;
    volk::vector<gr_complex> d_scratch; // [coefficients]
};

} // namespace

visible_region::axis visible_region::axis::for_spacing(int size, double spacing)
{
    check_positive("visible_region", "size", size);
    check_range("visible_region",
                "spacing",
                spacing,
                std::numeric_limits<double>::min(),
                std::numeric_limits<double>::max());
    const double half_bandwidth = std::min(max_half_bandwidth, spacing + guard);
    // A product that is a whole number but for rounding shall not count as the next one.
    const int time_bandwidth = static_cast<int>(std::ceil(2 * size * half_bandwidth - 1e-9));
    const int n_slepian = std::min(size, time_bandwidth + extra_sequences);
    return {
        size, n_slepian, half_bandwidth, n_slepian + extra_bins, half_bandwidth + grid_margin
    };
}

visible_region::sptr visible_region::make(const axis& row_axis, const axis& col_axis)
{
    check_axis("row_axis", row_axis);
    check_axis("col_axis", col_axis);
    return std::make_shared<visible_region_impl>(row_axis, col_axis);
}

} // namespace thzum
} // namespace gr
