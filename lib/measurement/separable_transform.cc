/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "measurement/matrix_kernels.h"
#include "measurement/padding.h"
#include "measurement/separable_transform.h"
#include <algorithm>

namespace gr {
namespace thzum {

separable_transform::separable_transform(const Eigen::MatrixXcd& left,
                                         const Eigen::MatrixXcd& right)
    : d_in_rows(static_cast<int>(left.cols())),
      d_in_cols(static_cast<int>(right.cols())),
      d_out_rows(static_cast<int>(left.rows())),
      d_out_cols(static_cast<int>(right.rows())),
      d_in_width(round_up(d_in_cols, column_multiple)),
      d_out_width(round_up(d_out_cols, column_multiple)),
      d_real((left.imag().array() == 0.0).all() && (right.imag().array() == 0.0).all())
{
    const int parts = d_real ? 1 : 2;
    const int padded_rows = round_up(d_in_rows, row_multiple);
    d_inner = parts * padded_rows;
    d_left.assign(size_t(parts) * d_out_rows * d_inner, 0.0f);
    d_right.assign(size_t(parts) * d_in_width * parts * d_out_width, 0.0f);
    d_input.assign(size_t(padded_rows) * 2 * d_in_width, 0.0f);
    d_between.assign(size_t(d_out_rows) * 2 * d_in_width, 0.0f);
    d_output.assign(size_t(d_out_rows) * 2 * d_out_width, 0.0f);

    // Entry (i, j) of a complex factor z is, from part q of the input to part p of the output,
    // Re z for p == q, -Im z for (p, q) = (0, 1) and Im z for (1, 0).
    const auto entry = [](const std::complex<double>& z, int p, int q) {
        return static_cast<float>(p == q ? z.real() : (p == 0 ? -z.imag() : z.imag()));
    };
    for (int p = 0; p < parts; p++) {
        for (int q = 0; q < parts; q++) {
            for (int o = 0; o < d_out_rows; o++)
                for (int i = 0; i < d_in_rows; i++)
                    d_left[size_t(o * parts + p) * d_inner + i * parts + q] =
                        entry(left(o, i), p, q);
            for (int o = 0; o < d_out_cols; o++)
                for (int i = 0; i < d_in_cols; i++)
                    d_right[size_t(q * d_in_width + i) * parts * d_out_width + p * d_out_width +
                            o] = entry(right(o, i), p, q);
        }
    }
}

void separable_transform::transform()
{
    const int parts = d_real ? 1 : 2;
    multiply_small(d_left.data(),
                   d_input.data(),
                   d_between.data(),
                   parts * d_out_rows,
                   d_inner,
                   2 / parts * d_in_width);
    multiply_small(d_between.data(),
                   d_right.data(),
                   d_output.data(),
                   2 / parts * d_out_rows,
                   parts * d_in_width,
                   parts * d_out_width);
}

void separable_transform::load(const gr_complex* x)
{
    for (int r = 0; r < d_in_rows; r++) {
        float* row = &d_input[size_t(r) * 2 * d_in_width];
        split_complex(x + size_t(r) * d_in_cols, row, row + d_in_width, d_in_cols);
    }
}

void separable_transform::store(gr_complex* y) const
{
    for (int r = 0; r < d_out_rows; r++) {
        const float* row = &d_output[size_t(r) * 2 * d_out_width];
        merge_complex(row, row + d_out_width, y + size_t(r) * d_out_cols, d_out_cols);
    }
}

void separable_transform::apply(const gr_complex* x, gr_complex* y)
{
    load(x);
    transform();
    store(y);
}

void separable_transform::apply_to_parts(const gr_complex* x, float* parts)
{
    load(x);
    transform();
    for (int p = 0; p < 2; p++)
        for (int r = 0; r < d_out_rows; r++)
            std::copy_n(&d_output[size_t(2 * r + p) * d_out_width],
                        d_out_cols,
                        parts + size_t(p * d_out_rows + r) * d_out_cols);
}

void separable_transform::apply_from_parts(const float* parts, gr_complex* y)
{
    for (int p = 0; p < 2; p++)
        for (int r = 0; r < d_in_rows; r++)
            std::copy_n(parts + size_t(p * d_in_rows + r) * d_in_cols,
                        d_in_cols,
                        &d_input[size_t(2 * r + p) * d_in_width]);
    transform();
    store(y);
}

} // namespace thzum
} // namespace gr
