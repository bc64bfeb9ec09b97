/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "measurement/block_matrix.h"
#include "measurement/matrix_kernels.h"
#include "measurement/padding.h"
#include <algorithm>

namespace gr {
namespace thzum {

namespace {

// Vectors worked on together: their columns and a few matrix rows stay in the first-level cache.
constexpr int chunk = 8;

bool is_real(const std::vector<Eigen::MatrixXcd>& blocks)
{
    return std::all_of(blocks.begin(), blocks.end(), [](const Eigen::MatrixXcd& block) {
        return (block.imag().array() == 0.0).all();
    });
}

} // namespace

block_matrix::block_matrix(const std::vector<Eigen::MatrixXcd>& blocks)
    : d_blocks(static_cast<int>(blocks.size())),
      d_rows(static_cast<int>(blocks.front().rows())),
      d_cols(static_cast<int>(blocks.front().cols())),
      d_real(thzum::is_real(blocks)),
      d_padded_rows(round_up(d_rows, row_multiple)),
      d_padded_cols(round_up(d_cols, column_multiple)),
      d_length(d_real ? d_padded_cols : 2 * d_padded_cols),
      d_values(size_t(d_blocks) * d_padded_rows * d_length, 0.0f),
      d_long(2 * size_t(chunk) * d_length, 0.0f),
      d_short(2 * size_t(chunk) * d_padded_rows, 0.0f)
{
    for (int b = 0; b < d_blocks; b++) {
        for (int r = 0; r < d_rows; r++) {
            float* row = &d_values[(size_t(b) * d_padded_rows + r) * d_length];
            for (int c = 0; c < d_cols; c++) {
                row[c] = static_cast<float>(blocks[b](r, c).real());
                if (!d_real)
                    row[d_padded_cols + c] = static_cast<float>(blocks[b](r, c).imag());
            }
        }
    }
}

void block_matrix::multiply(const gr_complex* x, gr_complex* y, int count)
{
    for (int first = 0; first < count; first += chunk) {
        const int n = std::min(chunk, count - first);
        for (int b = 0; b < d_blocks; b++)
            multiply_chunk(&d_values[size_t(b) * d_padded_rows * d_length],
                           x + (size_t(first) * d_blocks + b) * d_cols,
                           y + (size_t(first) * d_blocks + b) * d_rows,
                           n);
    }
}

void block_matrix::multiply_adjoint(const gr_complex* x, gr_complex* y, int count)
{
    for (int first = 0; first < count; first += chunk) {
        const int n = std::min(chunk, count - first);
        for (int b = 0; b < d_blocks; b++)
            adjoint_chunk(&d_values[size_t(b) * d_padded_rows * d_length],
                          x + (size_t(first) * d_blocks + b) * d_rows,
                          y + (size_t(first) * d_blocks + b) * d_cols,
                          n);
    }
}

void block_matrix::multiply_chunk(const float* block, const gr_complex* x, gr_complex* y, int count)
{
    for (int i = 0; i < count; i++) {
        const gr_complex* vector = x + size_t(i) * d_blocks * d_cols;
        float* first = &d_long[2 * size_t(i) * d_length];
        float* second = first + d_length;
        split_complex(vector, first, second, d_cols);
        if (!d_real)
            for (int c = 0; c < d_cols; c++) {
                first[d_padded_cols + c] = -second[c];
                second[d_padded_cols + c] = first[c];
            }
    }
    multiply_columns(block, d_padded_rows, d_length, d_long.data(), 2 * count, d_short.data());
    for (int i = 0; i < count; i++) {
        const float* first = &d_short[2 * size_t(i) * d_padded_rows];
        merge_complex(first, first + d_padded_rows, y + size_t(i) * d_blocks * d_rows, d_rows);
    }
}

void block_matrix::adjoint_chunk(const float* block, const gr_complex* x, gr_complex* y, int count)
{
    for (int i = 0; i < count; i++) {
        float* first = &d_short[2 * size_t(i) * d_padded_rows];
        split_complex(x + size_t(i) * d_blocks * d_rows, first, first + d_padded_rows, d_rows);
        std::fill(first + d_rows, first + d_padded_rows, 0.0f);
        std::fill(first + d_padded_rows + d_rows, first + 2 * d_padded_rows, 0.0f);
    }
    multiply_columns_transposed(
        block, d_padded_rows, d_length, d_short.data(), 2 * count, d_long.data());
    for (int i = 0; i < count; i++) {
        float* first = &d_long[2 * size_t(i) * d_length];
        float* second = first + d_length;
        if (!d_real)
            for (int c = 0; c < d_cols; c++) {
                first[c] += second[d_padded_cols + c];
                second[c] -= first[d_padded_cols + c];
            }
        merge_complex(first, second, y + size_t(i) * d_blocks * d_cols, d_cols);
    }
}

} // namespace thzum
} // namespace gr
