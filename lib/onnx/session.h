/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ONNX_SESSION_H
#define INCLUDED_THZUM_ONNX_SESSION_H

#include <onnxruntime_cxx_api.h>
#include <memory>
#include <string>

namespace gr {
namespace thzum {

/*! The one ONNX Runtime environment of the process. */
std::shared_ptr<Ort::Env> onnx_environment();

/*!
 * \brief Load a model file.
 * \throws std::runtime_error naming the file, the reason and what to do
 */
Ort::Session open_onnx_session(Ort::Env& env, const std::string& path, int threads);

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ONNX_SESSION_H */
