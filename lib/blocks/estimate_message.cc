/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimate_message.h"

namespace gr {
namespace thzum {

std::array<std::pair<pmt::pmt_t, pmt::pmt_t>, 4> estimate_tags(const estimate_report& report)
{
    return { { { tags::iterations(), pmt::from_long(report.iterations) },
               { tags::residual(), pmt::from_double(report.residual) },
               { tags::noise_var(), pmt::from_double(report.noise_var) },
               { tags::predicted_nmse_db(), pmt::from_double(report.predicted_nmse_db) } } };
}

pmt::pmt_t estimate_message(const pmt::pmt_t& algorithm,
                            const item_tags& tags,
                            const pmt::pmt_t& fault,
                            const estimate_report& report,
                            double latency_us)
{
    auto dict = pmt::dict_add(pmt::make_dict(), keys::algorithm(), algorithm);
    dict = with_tag(dict, keys::frame(), tags.frame);
    dict = with_tag(dict, keys::user(), tags.user);
    if (fault)
        return pmt::dict_add(dict, keys::skipped(), fault);
    dict = pmt::dict_add(dict, keys::iterations(), pmt::from_long(report.iterations));
    dict = pmt::dict_add(dict, keys::residual(), pmt::from_double(report.residual));
    dict = pmt::dict_add(dict, keys::noise_var(), pmt::from_double(report.noise_var));
    dict =
        pmt::dict_add(dict, keys::predicted_nmse_db(), pmt::from_double(report.predicted_nmse_db));
    return pmt::dict_add(dict, keys::latency_us(), pmt::from_double(latency_us));
}

} // namespace thzum
} // namespace gr
