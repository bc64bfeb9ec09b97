/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_CHANNEL_AMPLIFIER_H
#define INCLUDED_THZUM_CHANNEL_AMPLIFIER_H

#include "channel/sample_block.h"

namespace gr {
namespace thzum {

/*! Rapp's solid-state amplifier of unit small-signal gain: |y| = |x| / (1 + (|x| / A)^2p)^(1 / 2p).
 */
class THZUM_API rapp_amplifier
{
public:
    /*! \param smoothness p, above 0
     * \param saturation amplitude A, above 0 */
    rapp_amplifier(double smoothness, double saturation);

    void apply(sample_block& block) const;

private:
    float d_smoothness;
    float d_inverse_power; // 1 / A^2
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_CHANNEL_AMPLIFIER_H */
