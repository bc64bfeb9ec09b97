/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_MEASUREMENT_BLOCK_MATRIX_H
#define INCLUDED_THZUM_MEASUREMENT_BLOCK_MATRIX_H

#include <gnuradio/gr_complex.h>
#include <Eigen/Core>
#include <volk/volk_alloc.hh>
#include <vector>

namespace gr {
namespace thzum {

/*!
 * \brief Block-diagonal matrix of dense blocks, one per subarray, on batches of complex vectors.
 *
 * Kept in single precision as a real matrix: a complex block Mr + j Mi is the real block [Mr | Mi]
 * that meets the columns [xr; -xi] and [xi; xr], so that real and complex blocks share one kernel
 * and a real block costs half. Columns of a chunk of vectors stand side by side, so a block is read
 * once per chunk.
 */
class block_matrix
{
public:
    block_matrix() = default;

    /*! Blocks of equal size; kept real when no entry has an imaginary part. */
    explicit block_matrix(const std::vector<Eigen::MatrixXcd>& blocks);

    /*! Copies the matrix but not the scratch memory, which may be in use in another thread. */
    block_matrix(const block_matrix& other)
        : d_blocks(other.d_blocks),
          d_rows(other.d_rows),
          d_cols(other.d_cols),
          d_real(other.d_real),
          d_padded_rows(other.d_padded_rows),
          d_padded_cols(other.d_padded_cols),
          d_length(other.d_length),
          d_values(other.d_values),
          d_long(other.d_long.size()),
          d_short(other.d_short.size())
    {
    }
    block_matrix(block_matrix&&) = default;
    block_matrix& operator=(block_matrix&&) = default;

    int rows() const { return d_rows; }
    int cols() const { return d_cols; }
    bool is_real() const { return d_real; }

    /*! y = M x: [count][blocks*cols] -> [count][blocks*rows]; y may not alias x. */
    void multiply(const gr_complex* x, gr_complex* y, int count);

    /*! y = M^H x: [count][blocks*rows] -> [count][blocks*cols]; y may not alias x. */
    void multiply_adjoint(const gr_complex* x, gr_complex* y, int count);

private:
    void multiply_chunk(const float* block, const gr_complex* x, gr_complex* y, int count);
    void adjoint_chunk(const float* block, const gr_complex* x, gr_complex* y, int count);

    int d_blocks = 0;
    int d_rows = 0;
    int d_cols = 0;
    bool d_real = true;
    int d_padded_rows = 0;
    int d_padded_cols = 0;        // of the real or of the imaginary part
    int d_length = 0;             // of one stored row: one or two times d_padded_cols
    volk::vector<float> d_values; // [blocks][padded_rows][length], zero in the padding
    volk::vector<float> d_long;   // [2 * chunk][length], columns of the length of a row
    volk::vector<float> d_short;  // [2 * chunk][padded_rows], columns of the length of a column
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_MEASUREMENT_BLOCK_MATRIX_H */
