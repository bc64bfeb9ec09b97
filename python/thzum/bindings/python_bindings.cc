/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <pybind11/pybind11.h>

namespace py = pybind11;

#define THZUM_BIND(name) void bind_##name(py::module& m);
#include "bindings.inc"
#undef THZUM_BIND

PYBIND11_MODULE(thzum_python, m)
{
    // The block base classes must be known before the blocks are.
    py::module::import("gnuradio.gr");

#define THZUM_BIND(name) bind_##name(m);
#include "bindings.inc"
#undef THZUM_BIND
}
