/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/algorithm.h"
#include "estimation/quantised_estimator.h"
#include <sstream>
#include <stdexcept>

// One line per estimator; each is defined in the source file of its name.
#define THZUM_ESTIMATORS(ENTRY) \
    ENTRY(ls)                   \
    ENTRY(lmmse)                \
    ENTRY(omp)                  \
    ENTRY(newtonized_omp)       \
    ENTRY(polar_omp)            \
    ENTRY(hybrid_omp)           \
    ENTRY(amp)                  \
    ENTRY(oamp)                 \
    ENTRY(fpn_oamp)             \
    ENTRY(automatic)

namespace gr {
namespace thzum {
namespace estimation {

#define THZUM_DECLARE(name) algorithm name();
THZUM_ESTIMATORS(THZUM_DECLARE)
#undef THZUM_DECLARE

namespace {

const std::vector<algorithm>& algorithms()
{
#define THZUM_CALL(name) name(),
    static const std::vector<algorithm> all = { THZUM_ESTIMATORS(THZUM_CALL) };
#undef THZUM_CALL
    return all;
}

estimator::sptr
build(const algorithm& entry, const pilot_operator::sptr& op, const option_map& options)
{
    const bool quantised = has_converters(entry.info, options);
    auto estimator = entry.make(entry.info, op, without_converters(options));
    return quantised ? make_quantised(entry.info, options, std::move(estimator)) : estimator;
}

} // namespace
} // namespace estimation

const std::vector<algorithm_info>& estimators()
{
    static const std::vector<algorithm_info> infos = [] {
        std::vector<algorithm_info> list;
        for (const auto& entry : estimation::algorithms())
            list.push_back(entry.info);
        return list;
    }();
    return infos;
}

estimator::sptr
make_estimator(const std::string& name, pilot_operator::sptr op, const option_map& options)
{
    if (!op)
        throw std::invalid_argument("op: expected a pilot_operator, got none");
    std::ostringstream known;
    for (const auto& entry : estimation::algorithms()) {
        if (entry.info.name == name)
            return estimation::build(entry, op, options);
        known << " '" << entry.info.name << "'";
    }
    throw std::invalid_argument("name: expected one of" + known.str() + ", got '" + name + "'");
}

} // namespace thzum
} // namespace gr
