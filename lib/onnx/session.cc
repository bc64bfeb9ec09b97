/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "onnx/session.h"
#include <gnuradio/thzum/onnx_model.h>
#include <onnxruntime_session_options_config_keys.h>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

namespace fs = std::filesystem;

void check_runtime()
{
    // An older library has no API table of the version these headers describe.
    if (!OrtGetApiBase()->GetApi(ORT_API_VERSION))
        throw std::runtime_error("ONNX Runtime " + onnx_model::runtime_version() +
                                 " is too old: version 1." + std::to_string(ORT_API_VERSION) +
                                 " or later is needed; update the library");
}

void check_file(const std::string& path)
{
    std::error_code error;
    const auto status = fs::status(path, error);
    if (!fs::exists(status))
        throw std::runtime_error("model " + path +
                                 ": no such file; give the path of an .onnx file");
    if (!fs::is_regular_file(status))
        throw std::runtime_error("model " + path + ": not a file; give the path of an .onnx file");
    if (!std::ifstream(path, std::ios::binary))
        throw std::runtime_error("model " + path + ": cannot be read; check its permissions");
    if (fs::file_size(path, error) == 0)
        throw std::runtime_error("model " + path + ": the file is empty; copy or export it again");
}

Ort::SessionOptions session_options(int threads)
{
    Ort::SessionOptions options;
    options.SetIntraOpNumThreads(threads);
    options.SetInterOpNumThreads(1);
    options.SetExecutionMode(ExecutionMode::ORT_SEQUENTIAL);
    options.SetGraphOptimizationLevel(GraphOptimizationLevel::ORT_ENABLE_ALL);
    // Idle threads would otherwise burn the cores that other blocks run on.
    options.AddConfigEntry(kOrtSessionOptionsConfigAllowIntraOpSpinning, "0");
    options.AddConfigEntry(kOrtSessionOptionsConfigAllowInterOpSpinning, "0");
    return options;
}

bool contains(const std::string& text, const char* part)
{
    return text.find(part) != std::string::npos;
}

/*! What the user can do about a file that ONNX Runtime refuses. */
std::string load_error(const Ort::Exception& error)
{
    const std::string reason = error.what();
    const auto code = error.GetOrtErrorCode();
    if (contains(reason, "is not a registered function/op") ||
        contains(reason, "No Op registered") || code == ORT_NOT_IMPLEMENTED)
        return "uses an operator that ONNX Runtime " + onnx_model::runtime_version() +
               " does not know; export it with standard operators of an older opset (" + reason +
               ")";
    if (contains(reason, "opset") || contains(reason, "IR version"))
        return "is of a newer ONNX version than ONNX Runtime " + onnx_model::runtime_version() +
               " reads; export it with an older opset and IR version";
    if (code == ORT_INVALID_PROTOBUF || code == ORT_NO_MODEL || contains(reason, "ModelProto"))
        return "not an ONNX file, or damaged; copy or export it again";
    return "ONNX Runtime " + onnx_model::runtime_version() + " cannot load it; export it again (" +
           reason + ")";
}

} // namespace

std::shared_ptr<Ort::Env> onnx_environment()
{
    // Errors come back as exceptions; printing them as well would only repeat them.
    static const auto env = std::make_shared<Ort::Env>(ORT_LOGGING_LEVEL_FATAL, "gr-thzum");
    return env;
}

Ort::Session open_onnx_session(Ort::Env& env, const std::string& path, int threads)
{
    check_runtime();
    check_file(path);
    try {
        return Ort::Session(env, path.c_str(), session_options(threads));
    } catch (const Ort::Exception& error) {
        throw std::runtime_error("model " + path + ": " + load_error(error));
    }
}

} // namespace thzum
} // namespace gr
