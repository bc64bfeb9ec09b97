/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/wideband.h"
#include <sstream>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

const std::vector<estimation::wideband_algorithm>& algorithms()
{
    static const std::vector<estimation::wideband_algorithm> all = {
        estimation::wideband_newtonized_omp(), estimation::wideband_fpn_oamp()
    };
    return all;
}

} // namespace

const std::vector<algorithm_info>& wideband_estimators()
{
    static const std::vector<algorithm_info> infos = [] {
        std::vector<algorithm_info> list;
        for (const auto& entry : algorithms())
            list.push_back(entry.info);
        return list;
    }();
    return infos;
}

wideband_estimator::sptr make_wideband_estimator(const std::string& name,
                                                 pilot_operator::sptr op,
                                                 const std::vector<double>& frequencies,
                                                 double carrier_frequency,
                                                 const option_map& options)
{
    if (!op)
        throw std::invalid_argument("op: expected a pilot_operator, got none");
    std::ostringstream known;
    for (const auto& entry : algorithms()) {
        if (entry.info.name == name)
            return entry.make(entry.info, op, { frequencies, carrier_frequency }, options);
        known << " '" << entry.info.name << "'";
    }
    throw std::invalid_argument("name: expected one of" + known.str() + ", got '" + name + "'");
}

} // namespace thzum
} // namespace gr
