/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_MEASUREMENT_SEPARABLE_TRANSFORM_H
#define INCLUDED_THZUM_MEASUREMENT_SEPARABLE_TRANSFORM_H

#include <gnuradio/gr_complex.h>
#include <Eigen/Core>
#include <volk/volk_alloc.hh>

namespace gr {
namespace thzum {

/*!
 * \brief Y = L X R^T of small complex matrices X, for fixed L and R.
 *
 * X lies in memory as [row][real or imaginary part][column]. So laid out, real L and R act on both
 * parts at once, and complex ones are the real matrices [Lr -Li; Li Lr] on rows of half the length.
 */
class separable_transform
{
public:
    separable_transform() = default;
    separable_transform(const Eigen::MatrixXcd& left, const Eigen::MatrixXcd& right);

    /*! X [in_rows][in_cols] -> Y [out_rows][out_cols]. */
    void apply(const gr_complex* x, gr_complex* y);

    /*! As apply(), Y being split into its two parts [2][out_rows][out_cols]. */
    void apply_to_parts(const gr_complex* x, float* parts);

    /*! As apply(), X being split into its two parts [2][in_rows][in_cols]. */
    void apply_from_parts(const float* parts, gr_complex* y);

private:
    void transform();
    void load(const gr_complex* x);
    void store(gr_complex* y) const;

    int d_in_rows = 0;
    int d_in_cols = 0;
    int d_out_rows = 0;
    int d_out_cols = 0;
    int d_in_width = 0;  // padded in_cols
    int d_out_width = 0; // padded out_cols
    bool d_real = true;
    int d_inner = 0;               // columns of d_left
    volk::vector<float> d_left;    // [out_rows or 2 * out_rows][inner]
    volk::vector<float> d_right;   // [in_width][out_width], or twice either when complex
    volk::vector<float> d_input;   // [padded in_rows][2][in_width]
    volk::vector<float> d_between; // [out_rows][2][in_width]
    volk::vector<float> d_output;  // [out_rows][2][out_width]
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_MEASUREMENT_SEPARABLE_TRANSFORM_H */
