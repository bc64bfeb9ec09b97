/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_BLOCKS_CHAIN_STAGE_H
#define INCLUDED_THZUM_BLOCKS_CHAIN_STAGE_H

#include "estimation/observation_scaler.h"
#include "item_tags.h"
#include <string>

namespace gr {
namespace thzum {

/*!
 * \brief What the linear modules of a chain of blocks share: the model on an operator of their own,
 * the scaling of y as estimators do it, and the way between antennas and coefficients. One item at
 * a time.
 */
class chain_stage
{
public:
    /*! \throws std::invalid_argument in the name of \p block */
    chain_stage(const std::string& block,
                const pilot_operator::sptr& op,
                const std::string& dictionary,
                double spacing);

    const observation_model::sptr& model() const { return d_scaler.model(); }

    /*!
     * \brief Load one item.
     * \param y [M]
     * \param x [N] estimate of the stage before, or nullptr
     * \param fixed_noise_var 0 = from the tag or the pilots
     * \returns why the item is to be skipped; null if it is not
     */
    pmt::pmt_t
    load(const gr_complex* y, const gr_complex* x, const item_tags& tags, double fixed_noise_var);

    /*! Loaded observations in the singular domain at unit channel power. */
    gr_complex* z() { return d_scaler.z(); }

    /*! Noise variance at that scale. */
    const float* noise_var() { return d_scaler.scaled_noise_var(); }

    /*! Amplitude per antenna that the loading took as one. */
    float amplitude() const { return d_scaler.amplitude(0); }

    /*! Coefficients of the loaded x at unit channel power; nullptr if there was none. */
    const gr_complex* x() const { return d_has_x ? d_x.data() : nullptr; }

    /*! Room for the coefficients of r. */
    gr_complex* r() { return d_r.data(); }

    /*! r() over the antennas at the scale of y: [N]. */
    void write_r(gr_complex* out);

private:
    estimation::observation_scaler d_scaler;
    const int d_n_antennas;
    bool d_has_x = false;
    std::vector<gr_complex> d_x, d_r, d_antennas;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_BLOCKS_CHAIN_STAGE_H */
