/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ESTIMATION_WIDEBAND_H
#define INCLUDED_THZUM_ESTIMATION_WIDEBAND_H

#include "estimation/algorithm.h"
#include <gnuradio/thzum/wideband_estimator.h>

namespace gr {
namespace thzum {
namespace estimation {

/*! The band that a wideband estimator is built for. */
struct band {
    std::vector<double> frequencies; /*!< in Hz */
    double carrier_frequency;        /*!< in Hz */
};

/*! An entry of the registry of wideband estimators. */
struct wideband_algorithm {
    using factory = wideband_estimator::sptr (*)(const algorithm_info& info,
                                                 const pilot_operator::sptr& op,
                                                 const band& band,
                                                 const option_map& options);
    algorithm_info info;
    factory make;
};

/*! What wideband estimators say of themselves. */
class wideband_base : public wideband_estimator
{
public:
    wideband_base(const algorithm_info& info, const option_map& given, int subcarriers)
        : d_name(info.name), d_options(settings_in_force(info, given)), d_subcarriers(subcarriers)
    {
    }

    std::string name() const override { return d_name; }
    int subcarriers() const override { return d_subcarriers; }
    const option_map& options() const override { return d_options; }
    std::string repr() const override { return describe_settings(d_name, d_options); }

private:
    const std::string d_name;
    const option_map d_options;
    const int d_subcarriers;
};

wideband_algorithm wideband_newtonized_omp();
wideband_algorithm wideband_fpn_oamp();

} // namespace estimation
} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ESTIMATION_WIDEBAND_H */
