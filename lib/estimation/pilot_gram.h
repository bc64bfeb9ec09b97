/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ESTIMATION_PILOT_GRAM_H
#define INCLUDED_THZUM_ESTIMATION_PILOT_GRAM_H

#include <gnuradio/thzum/observation_model.h>
#include <volk/volk_alloc.hh>
#include <vector>

namespace gr {
namespace thzum {
namespace estimation {

/*!
 * \brief Gram matrices of what the pilots see, one per subarray: K_s = V diag(sigma^2) V^H.
 *
 * With the matched filter b_s = V diag(sigma) z_s they are all that a least-squares fit of
 * parametric waves needs: ||z - G c||^2 = ||z||^2 - 2 Re c^H b + c^H K c. Columns are real (the
 * coefficients of a plane wave in the visible region are) and padded to stride().
 */
class pilot_gram
{
public:
    explicit pilot_gram(observation_model::sptr model);

    int subarrays() const { return d_subarrays; }

    /*! Coefficients k of one subarray. */
    int size() const { return d_size; }

    /*! Values of z that matched_filter() takes. */
    int observations() const { return static_cast<int>(d_z.size()); }

    /*! Floats from one column to the next; those past size() are zero. */
    int stride() const { return d_stride; }

    /*! False where every K_s is real, as with real combiners. */
    bool is_complex() const { return !d_im.empty(); }

    /*!
     * \brief K_s x for real columns.
     * \param x [count][stride]
     * \param re,im [count][stride]; \p im is untouched unless is_complex()
     */
    void multiply(int subarray, int count, const float* x, float* re, float* im) const;

    /*! b of one item: z [S*r] -> b [S][re, im][stride]. */
    void matched_filter(const gr_complex* z, float* b);

private:
    observation_model::sptr d_model;
    int d_subarrays, d_size, d_stride;
    volk::vector<float> d_re, d_im; // [S][stride][stride], transposed
    std::vector<gr_complex> d_z, d_c;
    mutable volk::vector<float> d_in, d_out; // padded columns, scratch
};

} // namespace estimation
} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ESTIMATION_PILOT_GRAM_H */
