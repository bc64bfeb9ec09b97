/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detection/detectors.h"
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

const std::vector<detector_entry>& entries()
{
    static const std::vector<detector_entry> all = { mf_entry(),    zf_entry(),    lmmse_entry(),
                                                     amp_entry(),   oamp_entry(),  ep_entry(),
                                                     cg_ep_entry(), k_best_entry(),
                                                     amp_gnn_entry() };
    return all;
}

std::vector<algorithm_info> describe_entries()
{
    std::vector<algorithm_info> infos;
    for (const auto& entry : entries())
        infos.push_back(entry.info);
    return infos;
}

} // namespace

const std::vector<algorithm_info>& detectors()
{
    static const std::vector<algorithm_info> infos = describe_entries();
    return infos;
}

detector::sptr make_detector(const std::string& name,
                             int n_rx,
                             int n_tx,
                             const std::string& constellation,
                             const option_map& options)
{
    std::string known;
    for (const auto& entry : entries()) {
        if (entry.info.name == name)
            return entry.make({ n_rx, n_tx, constellation }, option_reader(entry.info, options));
        known += " '" + entry.info.name + "'";
    }
    throw std::invalid_argument("detector: name expects one of" + known + ", got '" + name + "'");
}

} // namespace thzum
} // namespace gr
