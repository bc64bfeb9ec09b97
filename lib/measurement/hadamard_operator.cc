/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "measurement/hadamard_operator.h"
#include "measurement/mask.h"
#include "measurement/matrix_kernels.h"
#include "measurement/walsh_hadamard.h"
#include <algorithm>
#include <bitset>
#include <cmath>
#include <numeric>
#include <random>
#include <sstream>

namespace gr {
namespace thzum {

namespace {

/*!
 * Uniform integer in [0, bound). The engine's output is fixed by the C++ standard, that of its
 * distributions is not, and both ends of a link must draw the same.
 */
int draw_below(std::mt19937_64& engine, int bound)
{
    const uint64_t limit = std::mt19937_64::max() - std::mt19937_64::max() % bound;
    uint64_t value = engine();
    while (value >= limit)
        value = engine();
    return static_cast<int>(value % bound);
}

} // namespace

hadamard_operator::hadamard_operator(const array_shape& shape, int n_slots, uint64_t seed)
    : d_shape(shape),
      d_slots(n_slots),
      d_seed(seed),
      d_combiner(size_t(shape.antennas()) * n_slots),
      d_gains(size_t(shape.n_subarrays) * n_slots, 1.0f),
      d_mask(d_gains.size(), 1),
      d_noise_reaches(d_mask),
      d_heard(d_gains.size()),
      d_signs(shape.antennas()),
      d_rows(size_t(shape.n_subarrays) * n_slots),
      d_scratch(shape.elements())
{
    draw();
    fill_combiner();
}

void hadamard_operator::draw()
{
    const int n = d_shape.elements();
    const float magnitude = 1 / std::sqrt(static_cast<float>(n));
    std::mt19937_64 engine(d_seed);
    std::vector<int> rows(n);
    for (int s = 0; s < d_shape.n_subarrays; s++) {
        for (int i = 0; i < n; i++)
            d_signs[s * n + i] = draw_below(engine, 2) ? -magnitude : magnitude;
        std::iota(rows.begin(), rows.end(), 0);
        for (int q = 0; q < d_slots; q++) {
            std::swap(rows[q], rows[q + draw_below(engine, n - q)]);
            d_rows[s * d_slots + q] = rows[q];
        }
    }
}

void hadamard_operator::fill_combiner()
{
    const int n = d_shape.elements();
    for (int s = 0; s < d_shape.n_subarrays; s++) {
        for (int q = 0; q < d_slots; q++) {
            gr_complex* row = &d_combiner[size_t(s * d_slots + q) * n];
            for (int i = 0; i < n; i++) {
                const auto common_bits = std::bitset<32>(d_rows[s * d_slots + q] & i);
                row[i] = common_bits.count() % 2 ? -d_signs[s * n + i] : d_signs[s * n + i];
            }
        }
    }
}

void hadamard_operator::project(const gr_complex* h, gr_complex* b, int batch)
{
    const int n = d_shape.elements();
    for (int i = 0; i < batch; i++) {
        for (int s = 0; s < d_shape.n_subarrays; s++) {
            multiply_elements(&d_signs[s * n], h, d_scratch.data(), n);
            walsh_hadamard(reinterpret_cast<float*>(d_scratch.data()), n);
            const int* rows = &d_rows[s * d_slots];
            for (int q = 0; q < d_slots; q++)
                b[q] = d_scratch[rows[q]];
            h += n;
            b += d_slots;
        }
    }
}

void hadamard_operator::backproject(const gr_complex* b, gr_complex* h, int batch)
{
    const int n = d_shape.elements();
    for (int i = 0; i < batch; i++) {
        for (int s = 0; s < d_shape.n_subarrays; s++) {
            std::fill(d_scratch.begin(), d_scratch.end(), gr_complex(0));
            const int* rows = &d_rows[s * d_slots];
            for (int q = 0; q < d_slots; q++)
                d_scratch[rows[q]] = b[q];
            walsh_hadamard(reinterpret_cast<float*>(d_scratch.data()), n);
            multiply_elements(&d_signs[s * n], d_scratch.data(), h, n);
            h += n;
            b += d_slots;
        }
    }
}

void hadamard_operator::apply_mask(const gr_complex* x, gr_complex* y, int batch) const
{
    for (int b = 0; b < batch; b++)
        for (const auto heard : d_mask)
            *y++ = heard ? *x : gr_complex(0), x++;
}

void hadamard_operator::forward(const gr_complex* h, gr_complex* y, int batch)
{
    project(h, y, batch);
    if (d_masked)
        apply_mask(y, y, batch);
}

void hadamard_operator::adjoint(const gr_complex* y, gr_complex* h, int batch)
{
    if (!d_masked)
        return backproject(y, h, batch);
    for (int i = 0; i < batch; i++) {
        apply_mask(y + i * d_mask.size(), d_heard.data(), 1);
        backproject(d_heard.data(), h + size_t(i) * d_shape.antennas(), 1);
    }
}

void hadamard_operator::whiten(const gr_complex* y, gr_complex* z, int batch)
{
    if (d_masked)
        apply_mask(y, z, batch);
    else
        std::copy_n(y, size_t(batch) * n_observations(), z);
}

pilot_operator::sptr hadamard_operator::with_mask(const std::vector<uint8_t>& mask) const
{
    const auto masked = std::make_shared<hadamard_operator>(d_shape, d_slots, d_seed);
    masked->d_mask = checked_mask(mask, n_observations());
    masked->d_noise_reaches = masked->d_mask;
    masked->d_masked = heard(masked->d_mask) < n_observations();
    std::copy(masked->d_mask.begin(), masked->d_mask.end(), masked->d_gains.begin());
    return masked;
}

pilot_operator::sptr hadamard_operator::clone() const
{
    return with_mask(d_mask);
}

std::string hadamard_operator::repr() const
{
    std::ostringstream out;
    out << "pilot_operator.hadamard(n_subarrays=" << d_shape.n_subarrays
        << ", rows=" << d_shape.rows << ", cols=" << d_shape.cols << ", n_slots=" << d_slots
        << ", seed=" << d_seed << ")" << describe_mask(d_mask);
    return out.str();
}

} // namespace thzum
} // namespace gr
