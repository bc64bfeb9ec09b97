/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_CHANNEL_ADC_H
#define INCLUDED_THZUM_CHANNEL_ADC_H

#include "channel/sample_block.h"
#include "common/quantiser.h"
#include <vector>

namespace gr {
namespace thzum {

/*! The same meanings as the Python model Adc. */
struct adc_settings {
    int bits = 6;             /*!< 1 to 12 for each of I and Q */
    double loading = 0.0;     /*!< full scale over standard deviation; 0 is the optimum */
    double power = 1.0;       /*!< mean |x|^2 at the start, or throughout with a fixed gain */
    double agc_samples = 0.0; /*!< time constant in samples; 0 is a fixed gain */
};

/*! Mid-rise ADC of I and Q behind an automatic gain control for each row; output referred to the
 * input. */
class THZUM_API adc
{
public:
    adc(const adc_settings& settings, int rows);

    void apply(sample_block& block);

    /*! New settings; the gain control goes on from where it is, or from a changed \p power. */
    void update(const adc_settings& settings);

private:
    void track(sample_block& block, int row, int rows);

    adc_settings d_settings;
    double d_relative_step;           // over the standard deviation of I
    std::vector<double> d_mean_power; // [rows]
    std::vector<float> d_before;      // [rows][capacity] mean power before each sample
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_CHANNEL_ADC_H */
