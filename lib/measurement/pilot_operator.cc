/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "measurement/checks.h"
#include "measurement/dense_operator.h"
#include "measurement/hadamard_operator.h"
#include <cmath>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

void check_combiner(const std::vector<gr_complex>& combiner, int n_slots, const array_shape& shape)
{
    check_shape("pilot_operator", shape);
    check_positive("pilot_operator", "n_slots", n_slots);
    const size_t expected = size_t(shape.n_subarrays) * n_slots * shape.elements();
    if (combiner.size() != expected)
        throw std::invalid_argument(
            "pilot_operator: combiner expects n_subarrays * n_slots * rows * cols = " +
            std::to_string(expected) + " values, got " + std::to_string(combiner.size()));
    const size_t row_length = shape.elements();
    for (size_t first = 0; first < combiner.size(); first += row_length) {
        double energy = 0;
        for (size_t i = first; i < first + row_length; i++)
            energy += std::norm(std::complex<double>(combiner[i]));
        if (std::isfinite(energy) && energy > 0)
            continue;
        const size_t row = first / row_length;
        throw std::invalid_argument(
            "pilot_operator: combiner expects finite rows with at least one entry that is not "
            "zero, got " +
            std::string(energy == 0 ? "a row of zeros" : "NaN or Inf") + " in subarray " +
            std::to_string(row / n_slots) + ", slot " + std::to_string(row % n_slots));
    }
}

} // namespace

pilot_operator::sptr pilot_operator::make(const std::vector<gr_complex>& combiner,
                                          int n_slots,
                                          const array_shape& shape,
                                          noise_model model)
{
    check_combiner(combiner, n_slots, shape);
    return std::make_shared<dense_operator>(
        combiner, n_slots, shape, model, std::vector<uint8_t>(size_t(shape.n_subarrays) * n_slots, 1));
}

pilot_operator::sptr pilot_operator::hadamard(const array_shape& shape, int n_slots, uint64_t seed)
{
    check_shape("pilot_operator", shape);
    const int n = shape.elements();
    if (n & (n - 1))
        throw std::invalid_argument(
            "pilot_operator: a Hadamard combiner expects rows * cols to be a power of two, got " +
            std::to_string(shape.rows) + " * " + std::to_string(shape.cols) + " = " +
            std::to_string(n));
    check_range("pilot_operator", "n_slots", n_slots, 1, n);
    return std::make_shared<hadamard_operator>(shape, n_slots, seed);
}

} // namespace thzum
} // namespace gr
