/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/polar_pursuit.h"
#include <cmath>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

estimator::sptr make_hybrid_omp(const algorithm_info& info,
                                const pilot_operator::sptr& op,
                                const option_map& options)
{
    const option_reader reader(info, options);
    const int max_atoms = reader.integer("max_atoms", 1, 64);
    const double share = reader.number("far_share", 0.0, 1.0);
    const int far = static_cast<int>(std::lround(share * max_atoms));
    return make_polar_pursuit(info, op, options, { { 0, 0, far }, { 1, -1, max_atoms } });
}

} // namespace

/*! Plane waves first, spherical ones on what they leave (Wei and Dai, IEEE Commun. Lett. 2022). */
algorithm hybrid_omp()
{
    std::vector<option_info> options = {
        { "max_atoms", 32.0, "Waves at most, 1 to 64." },
        { "far_share", 0.5, "Share of them, from 0 to 1, that are plane at most." }
    };
    const auto shared = polar_options();
    options.insert(options.end(), shared.begin(), shared.end());
    return { { "hybrid_omp",
               "Hybrid-field OMP: plane waves first, spherical ones on the residual",
               with_common(options) },
             make_hybrid_omp };
}

} // namespace estimation
} // namespace thzum
} // namespace gr
