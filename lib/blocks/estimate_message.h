/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_BLOCKS_ESTIMATE_MESSAGE_H
#define INCLUDED_THZUM_BLOCKS_ESTIMATE_MESSAGE_H

#include "item_tags.h"
#include <gnuradio/thzum/estimator.h>
#include <array>
#include <utility>

namespace gr {
namespace thzum {

/*! \p dict with an entry, unless \p value is null. */
inline pmt::pmt_t with_tag(const pmt::pmt_t& dict, const pmt::pmt_t& key, const pmt::pmt_t& value)
{
    return value ? pmt::dict_add(dict, key, value) : dict;
}

/*! What the tags of an estimated item say, key and value. */
std::array<std::pair<pmt::pmt_t, pmt::pmt_t>, 4> estimate_tags(const estimate_report& report);

/*!
 * \brief The dictionary that port `report` sends of an item.
 * \param fault why it was skipped; null if it was not
 * \param latency_us duration of the call that estimated it
 */
pmt::pmt_t estimate_message(const pmt::pmt_t& algorithm,
                            const item_tags& tags,
                            const pmt::pmt_t& fault,
                            const estimate_report& report,
                            double latency_us);

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_BLOCKS_ESTIMATE_MESSAGE_H */
