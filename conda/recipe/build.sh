#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
set -ex

# ONNX Runtime is that of the environment, never a copy from elsewhere.
cmake ${CMAKE_ARGS} -S . -B build-conda -G Ninja \
    -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_INSTALL_PREFIX="$PREFIX" \
    -DONNXRUNTIME_ROOT="$PREFIX" \
    -DPYTHON_EXECUTABLE="$PYTHON" \
    -DENABLE_TESTING=ON
cmake --build build-conda -- -j"${CPU_COUNT}"
cmake --install build-conda

if [[ "${CONDA_BUILD_CROSS_COMPILATION:-}" != 1 || -n "${CROSSCOMPILING_EMULATOR:-}" ]]; then
    THZUM_MODELS=$PWD/models ctest --test-dir build-conda --output-on-failure --timeout 300 -j"${CPU_COUNT}"
fi
