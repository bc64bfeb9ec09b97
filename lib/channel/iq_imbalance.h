/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_CHANNEL_IQ_IMBALANCE_H
#define INCLUDED_THZUM_CHANNEL_IQ_IMBALANCE_H

#include "channel/sample_block.h"

namespace gr {
namespace thzum {

/*!
 * Receiver I/Q imbalance y = mu x + nu conj(x) with mu = (1 + g exp(-j phi)) / 2 and
 * nu = (1 - g exp(j phi)) / 2 (Tubbax et al., IEEE TWC 2005): I passes, Q becomes g (cos(phi) Q -
 * sin(phi) I).
 */
class THZUM_API iq_imbalance
{
public:
    /*! \param amplitude_db g in dB
     * \param phase_deg phi in degrees */
    iq_imbalance(double amplitude_db, double phase_deg);

    void apply(sample_block& block) const;

private:
    float d_from_i;
    float d_from_q;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_CHANNEL_IQ_IMBALANCE_H */
