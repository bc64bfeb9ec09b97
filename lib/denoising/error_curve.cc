/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "denoising/error_curve.h"
#include <algorithm>
#include <stdexcept>

namespace gr {
namespace thzum {

error_curve::error_curve(const std::vector<double>& noise_db, const std::vector<double>& nmse_db)
    : d_noise_db(noise_db), d_nmse_db(nmse_db)
{
    if (noise_db.size() != nmse_db.size() || noise_db.empty())
        throw std::invalid_argument("expected as many noise levels as errors, got " +
                                    std::to_string(noise_db.size()) + " and " +
                                    std::to_string(nmse_db.size()));
    for (size_t i = 1; i < noise_db.size(); i++)
        if (!(noise_db[i] > noise_db[i - 1]))
            throw std::invalid_argument("expected increasing noise levels, got " +
                                        std::to_string(noise_db[i - 1]) + " before " +
                                        std::to_string(noise_db[i]));
    d_best = *std::min_element(nmse_db.begin(), nmse_db.end());
}

double error_curve::at(double noise_db) const
{
    if (d_noise_db.size() == 1)
        return std::min(d_nmse_db.front(), 0.0);
    const auto above = std::upper_bound(d_noise_db.begin() + 1, d_noise_db.end() - 1, noise_db);
    const auto i = above - d_noise_db.begin();
    const double slope = (d_nmse_db[i] - d_nmse_db[i - 1]) / (d_noise_db[i] - d_noise_db[i - 1]);
    const double value = d_nmse_db[i - 1] + slope * (noise_db - d_noise_db[i - 1]);
    return std::clamp(value, std::min(d_best - 3, 0.0), 0.0);
}

} // namespace thzum
} // namespace gr
