/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "measurement/noise_dimensions.h"
#include "measurement/unitary_observation_model.h"
#include <algorithm>

namespace gr {
namespace thzum {

namespace {

constexpr int chunk = 8; // channels between dictionary and operator, kept in cache

int count_excess(const pilot_operator& op)
{
    const auto& gains = op.gains();
    const auto zeros = std::count(gains.begin(), gains.end(), 0.0f);
    return noise_dimensions(op) - static_cast<int>(gains.size() - zeros);
}

} // namespace

unitary_observation_model::unitary_observation_model(pilot_operator::sptr op, dictionary::sptr dict)
    : d_op(std::move(op)),
      d_dict(std::move(dict)),
      d_excess(count_excess(*d_op)),
      d_channel(size_t(chunk) * d_op->shape().antennas())
{
}

void unitary_observation_model::observe(const gr_complex* y,
                                        gr_complex* z,
                                        float* excess_energy,
                                        int batch)
{
    d_op->whiten(y, z, batch);
    if (!excess_energy)
        return;
    const auto& gains = d_op->gains();
    for (int i = 0; i < batch; i++) {
        const gr_complex* item = z + size_t(i) * gains.size();
        excess_energy[i] = 0;
        for (size_t r = 0; r < gains.size(); r++)
            if (gains[r] == 0)
                excess_energy[i] += std::norm(item[r]);
    }
}

void unitary_observation_model::to_singular(const gr_complex* c, gr_complex* z, int batch)
{
    const int subarrays = d_op->shape().n_subarrays;
    for (int first = 0; first < batch; first += chunk) {
        const int n = std::min(chunk, batch - first);
        d_dict->synthesize(c + size_t(first) * coefficients(), d_channel.data(), n * subarrays);
        d_op->project(d_channel.data(), z + size_t(first) * subarrays * rank(), n);
    }
}

void unitary_observation_model::from_singular(const gr_complex* z, gr_complex* c, int batch)
{
    const int subarrays = d_op->shape().n_subarrays;
    for (int first = 0; first < batch; first += chunk) {
        const int n = std::min(chunk, batch - first);
        d_op->backproject(z + size_t(first) * subarrays * rank(), d_channel.data(), n);
        d_dict->analyze(d_channel.data(), c + size_t(first) * coefficients(), n * subarrays);
    }
}

} // namespace thzum
} // namespace gr
