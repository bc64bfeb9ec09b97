/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/polar_pursuit.h"

namespace gr {
namespace thzum {
namespace estimation {

namespace {

estimator::sptr make_polar_omp(const algorithm_info& info,
                               const pilot_operator::sptr& op,
                               const option_map& options)
{
    const int max_atoms = option_reader(info, options).integer("max_atoms", 1, 64);
    return make_polar_pursuit(info, op, options, { { 0, -1, max_atoms } });
}

} // namespace

/*! Plane and spherical waves from one dictionary, as Cui and Dai (IEEE Trans. Commun. 2022) pursue
 * them. */
algorithm polar_omp()
{
    std::vector<option_info> options = { { "max_atoms", 32.0, "Waves at most, 1 to 64." } };
    const auto shared = polar_options();
    options.insert(options.end(), shared.begin(), shared.end());
    return { { "polar_omp",
               "Orthogonal matching pursuit with spherical waves over the whole array",
               with_common(options) },
             make_polar_omp };
}

} // namespace estimation
} // namespace thzum
} // namespace gr
