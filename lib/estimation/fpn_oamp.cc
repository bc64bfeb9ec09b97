/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/oamp_iteration.h"
#include <algorithm>
#include <stdexcept>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

const std::vector<std::string> start_names = { "zero", "ls", "random" };

estimator::sptr
make_fpn_oamp(const algorithm_info& info, const pilot_operator::sptr& op, const option_map& options)
{
    const option_reader reader(info, options);
    const auto& start = reader.choice("start", start_names);
    const auto place = std::find(start_names.begin(), start_names.end(), start);
    const iteration_settings settings = {
        linear_kind_of(reader.choice("linear", linear_kind_names())),
        reader.flag("divergence_free"),
        reader.integer("max_iterations", 1, estimate_report::history_length),
        reader.number("tolerance", 0.0, 1.0),
        static_cast<start_point>(place - start_names.begin()),
        static_cast<uint64_t>(reader.number("seed", 0.0, 1e15)),
        reader.integer("anderson", 0, anderson::largest_depth)
    };
    if (settings.anderson && settings.divergence_free)
        throw std::invalid_argument("anderson: expected 0 with divergence_free, whose messages are no "
                                    "fixed-point iteration of the estimate, got " +
                                    std::to_string(settings.anderson));
    return std::make_shared<oamp_iteration>(
        info, options, op, make_inner_denoiser(info, op, options), settings);
}

} // namespace

/*!
 * Fixed point of x <- D(LE(x)) with a network D trained to make the map contractive (Yu et al.,
 * IEEE JSTSP 2023): one limit whatever the start, reached at a linear rate, so that depth is chosen
 * while it runs.
 */
algorithm fpn_oamp()
{
    return {
        { "fpn_oamp",
          "Fixed-point network: OAMP's linear step and a learned denoiser to their fixed point",
          with_denoiser(
              { { "tolerance",
                  3e-2,
                  "An item stops when its relative change falls to this, 0 to 1." },
                { "max_iterations", 15.0, "Iterations at most, 1 to 64." },
                { "start",
                  std::string("zero"),
                  "Where the iteration starts: \"zero\", \"ls\" or \"random\"." },
                { "anderson",
                  0.0,
                  "Steps that Anderson acceleration looks back, 0 (plain steps) to 2; not with "
                  "divergence_free." },
                { "seed", 0.0, "Seed of the random start, an integer from 0." },
                { "linear",
                  std::string("lmmse"),
                  "Linear step: \"lmmse\", \"matched\" (filter) or \"pinv\" (pseudo-inverse)." },
                { "divergence_free",
                  false,
                  "Remove from the denoiser's output what it passes of its input; helps at low "
                  "under-sampling ratios." } },
              "onnx") },
        make_fpn_oamp
    };
}

} // namespace estimation
} // namespace thzum
} // namespace gr
