/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/thzum/onnx_model.h>
#include <dlfcn.h>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

namespace fs = std::filesystem;

/*! Where this library was loaded from; empty when it is not known. */
fs::path library_folder()
{
    Dl_info info;
    if (dladdr(reinterpret_cast<const void*>(&library_folder), &info) == 0 || !info.dli_fname)
        return {};
    std::error_code error;
    const auto file = fs::canonical(info.dli_fname, error);
    return error ? fs::path() : file.parent_path();
}

std::vector<fs::path> model_folders()
{
    std::vector<fs::path> folders;
    if (const char* given = std::getenv("THZUM_MODELS"); given && *given)
        folders.emplace_back(given);
    // The library is in PREFIX/lib or, with multi-arch names, one folder below.
    auto folder = library_folder();
    for (int level = 0; level < 2 && folder.has_relative_path(); level++) {
        folder = folder.parent_path();
        folders.push_back(folder / "share" / "gr-thzum" / "models");
    }
    return folders;
}

} // namespace

std::string onnx_model::shipped(const std::string& name)
{
    std::string searched;
    for (const auto& folder : model_folders()) {
        const auto file = folder / (name + ".onnx");
        std::error_code error;
        if (fs::is_regular_file(file, error))
            return file.string();
        searched += (searched.empty() ? "" : ", ") + folder.string();
    }
    throw std::runtime_error("model '" + name + "' is not among the shipped ones; searched " +
                             searched +
                             "; set THZUM_MODELS to the folder that holds it, or give its path");
}

} // namespace thzum
} // namespace gr
