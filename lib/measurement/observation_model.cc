/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "measurement/dense_observation_model.h"
#include "measurement/unitary_observation_model.h"
#include <stdexcept>

namespace gr {
namespace thzum {

observation_model::sptr observation_model::make(pilot_operator::sptr op, dictionary::sptr dict)
{
    if (!op || !dict)
        throw std::invalid_argument("observation_model: op and dict expect objects, got none");
    const array_shape& shape = op->shape();
    if (dict->rows() != shape.rows || dict->cols() != shape.cols)
        throw std::invalid_argument(
            "observation_model: dict expects the subarray size of op, " +
            std::to_string(shape.rows) + " x " + std::to_string(shape.cols) + ", got " +
            std::to_string(dict->rows()) + " x " + std::to_string(dict->cols()));
    if (dict->coefficients() == shape.elements())
        return std::make_shared<unitary_observation_model>(std::move(op), std::move(dict));
    return std::make_shared<dense_observation_model>(std::move(op), std::move(dict));
}

} // namespace thzum
} // namespace gr
