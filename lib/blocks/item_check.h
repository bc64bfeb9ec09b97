/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_BLOCKS_ITEM_CHECK_H
#define INCLUDED_THZUM_BLOCKS_ITEM_CHECK_H

#include <gnuradio/gr_complex.h>
#include <pmt/pmt.h>
#include <cfloat>

namespace gr {
namespace thzum {

/*! Why an item is skipped, as the tag thzum_skipped says it. */
namespace skip_reason {

#define THZUM_REASON(name)                               \
    inline const pmt::pmt_t& name()                      \
    {                                                    \
        static const pmt::pmt_t symbol = pmt::mp(#name); \
        return symbol;                                   \
    }

THZUM_REASON(nan)          /* NaN or Inf among the samples, or a power past the float range */
THZUM_REASON(zero)         /* no power */
THZUM_REASON(noise_var)    /* a given noise variance that is not a positive finite number */
THZUM_REASON(no_noise_var) /* none given, and the pilots leave none to estimate it from */
THZUM_REASON(noise_scale)  /* scales of the chains' noise that are not so many positive numbers */
THZUM_REASON(diverged)     /* the algorithm gave NaN or Inf */

#undef THZUM_REASON

} // namespace skip_reason

/*! Energies outside would overflow or vanish when an algorithm squares them in float. */
constexpr double largest_item_energy = 1e36;
constexpr double smallest_item_energy = 1e-30;

/*! Sum of |v|^2; NaN or Inf if a sample is. */
inline double item_energy(const gr_complex* v, int size)
{
    double energy = 0.0;
    for (int i = 0; i < size; i++)
        energy += static_cast<double>(v[i].real()) * v[i].real() +
                  static_cast<double>(v[i].imag()) * v[i].imag();
    return energy;
}

/*! Why an item cannot be used; null if it can. */
inline const pmt::pmt_t& item_fault(const gr_complex* v, int size)
{
    static const pmt::pmt_t none;
    const double energy = item_energy(v, size);
    if (!(energy < largest_item_energy))
        return skip_reason::nan();
    return energy > smallest_item_energy ? none : skip_reason::zero();
}

/*! True for a noise variance that algorithms can divide by. */
inline bool is_usable_noise_var(double noise_var)
{
    return noise_var >= FLT_MIN && noise_var <= FLT_MAX;
}

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_BLOCKS_ITEM_CHECK_H */
