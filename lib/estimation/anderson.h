/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ESTIMATION_ANDERSON_H
#define INCLUDED_THZUM_ESTIMATION_ANDERSON_H

#include <gnuradio/gr_complex.h>
#include <vector>

namespace gr {
namespace thzum {
namespace estimation {

/*!
 * \brief Anderson acceleration of fixed-point iterations x <- G(x) (Anderson, J. ACM 1965).
 *
 * Of the last steps that real combination is taken whose residuals G(x) - x cancel best. Where the
 * residual has grown, or the combination reaches far beyond the steps, the next step is a plain one,
 * which converges wherever G contracts. Allocates at construction only.
 */
class anderson
{
public:
    static constexpr int largest_depth = 2;

    /*!
     * \param depth steps that are looked back, 0 to largest_depth; 0 makes plain steps
     * \param slots iterations that go on side by side
     * \param size of x
     */
    anderson(int depth, int slots, int size);

    /*! Forget what is known of a slot. */
    void reset(int slot) { d_known[slot] = 0; }

    /*! Take over the iteration of another slot. */
    void move(int from, int to);

    /*! The point after \p x, whose image is \p image, in place of \p x. */
    void next(int slot, gr_complex* x, const gr_complex* image);

private:
    // Of each slot: residual and image of the step before, then their changes, latest first.
    gr_complex* column(int slot, int index)
    {
        return &d_history[(size_t(slot) * d_columns + index) * d_size];
    }
    gr_complex* residual_change(int slot, int step) { return column(slot, 2 + 2 * step); }
    gr_complex* image_change(int slot, int step) { return column(slot, 3 + 2 * step); }
    void remember(int slot, const gr_complex* residual, const gr_complex* image);

    const int d_depth, d_size, d_columns;
    std::vector<gr_complex> d_history, d_residual;
    std::vector<int> d_known; // steps before, up to depth + 1, of each slot
};

} // namespace estimation
} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ESTIMATION_ANDERSON_H */
