/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ONNX_MODEL_CARD_H
#define INCLUDED_THZUM_ONNX_MODEL_CARD_H

#include <gnuradio/thzum/onnx_model.h>

namespace gr {
namespace thzum {

/*! Version of the card this library writes of and reads. */
constexpr const char* model_card_format = "1";

/*! \throws std::runtime_error unless \p card is of a known format and for \p task */
void check_model_card(const std::string& path, const model_card& card, const std::string& task);

/*! Comma-separated numbers; std::runtime_error naming \p path and \p key when one is not a number.
 */
std::vector<double>
parse_card_numbers(const std::string& path, const std::string& key, const std::string& text);

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ONNX_MODEL_CARD_H */
