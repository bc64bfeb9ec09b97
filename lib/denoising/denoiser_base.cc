/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "denoising/denoiser_base.h"
#include <cmath>
#include <sstream>
#include <stdexcept>

namespace gr {
namespace thzum {

denoiser_base::denoiser_base(const std::string& name,
                             const denoiser_settings& settings,
                             dictionary::sptr dict)
    : d_name(name), d_settings(settings), d_dict(std::move(dict))
{
}

void denoiser_base::check(const float* variance, int batch) const
{
    if (batch < 1 || batch > max_batch())
        throw std::invalid_argument("batch: expected 1 to " + std::to_string(max_batch()) +
                                    ", got " + std::to_string(batch) +
                                    "; build the denoiser with a larger max_batch");
    for (int b = 0; b < batch; b++)
        if (!(variance[b] > 0) || !std::isfinite(variance[b]))
            throw std::invalid_argument("variance: expected positive finite numbers, got " +
                                        std::to_string(variance[b]) + " for item " +
                                        std::to_string(b));
}

std::string denoiser_base::repr_head() const
{
    const auto& array = shape();
    std::ostringstream out;
    out << name() << "(" << array.n_subarrays << "x" << array.rows << "x" << array.cols
        << ", dictionary=" << d_dict->name() << ", max_batch=" << max_batch();
    return out.str();
}

} // namespace thzum
} // namespace gr
