/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_PYTHON_FREQUENCIES_H
#define INCLUDED_THZUM_PYTHON_FREQUENCIES_H

#include "arrays.h"

namespace gr {
namespace thzum {

/*! An array [F] of numbers in Hz; ValueError naming "frequencies" for anything else. */
inline std::vector<double> frequencies_in(const py::object& value)
{
    const auto given = any_array(value, "frequencies");
    const char kind = given.dtype().kind();
    if (given.ndim() != 1 || (kind != 'f' && kind != 'i' && kind != 'u'))
        refuse("frequencies", "an array [F] of Hz", describe(given));
    const auto values =
        py::array_t<double, py::array::c_style | py::array::forcecast>::ensure(given);
    return { values.data(), values.data() + values.size() };
}

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_PYTHON_FREQUENCIES_H */
