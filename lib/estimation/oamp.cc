/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/oamp_iteration.h"

namespace gr {
namespace thzum {
namespace estimation {

namespace {

estimator::sptr
make_oamp(const algorithm_info& info, const pilot_operator::sptr& op, const option_map& options)
{
    const option_reader reader(info, options);
    const iteration_settings settings = {
        linear_kind_of(reader.choice("linear", linear_kind_names())),
        reader.flag("divergence_free"),
        reader.integer("max_iterations", 1, estimate_report::history_length),
        reader.number("tolerance", 0.0, 1.0),
        start_point::zero,
        0,
        0
    };
    return std::make_shared<oamp_iteration>(
        info, options, op, make_oamp_denoiser(info, op, options), settings);
}

} // namespace

denoiser::sptr make_oamp_denoiser(const algorithm_info& info,
                                  const pilot_operator::sptr& op,
                                  const option_map& options)
{
    const option_reader reader(info, options);
    const bool apart = info.name == "oamp" && reader.flag("per_subarray") &&
                       is_separable(reader.text("denoiser"));
    return make_inner_denoiser(info, op, options, apart);
}

algorithm oamp()
{
    return {
        { "oamp",
          "Orthogonal approximate message passing with a linear step and any denoiser",
          with_denoiser(
              { { "linear",
                  std::string("lmmse"),
                  "Linear step: \"lmmse\", \"matched\" (filter) or \"pinv\" (pseudo-inverse)." },
                { "divergence_free",
                  true,
                  "Remove from the denoiser's output what it passes of its input, as the state "
                  "evolution asks." },
                { "per_subarray",
                  true,
                  "Let every subarray have variances and a prior of its own; not with a network." },
                { "max_iterations", 15.0, "Iterations at most, 1 to 64." },
                { "tolerance",
                  1e-3,
                  "An item stops when its relative change falls to this, 0 to 1." },
                { "dictionary",
                  std::string("visible_region"),
                  "Where the denoiser expects sparsity: \"identity\", \"dft\" or "
                  "\"visible_region\"." } },
              "bernoulli_gaussian") },
        make_oamp
    };
}

} // namespace estimation
} // namespace thzum
} // namespace gr
