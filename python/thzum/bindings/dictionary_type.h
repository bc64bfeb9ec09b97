/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_PYTHON_DICTIONARY_TYPE_H
#define INCLUDED_THZUM_PYTHON_DICTIONARY_TYPE_H

#include <gnuradio/thzum/dictionary.h>
#include <pybind11/pybind11.h>

namespace pybind11 {

/*!
 * A dictionary that is a visible_region is one in Python, too, whatever class implements it. Every
 * binding that returns a dictionary includes this.
 */
template <>
struct polymorphic_type_hook<gr::thzum::dictionary> {
    static const void* get(const gr::thzum::dictionary* source, const std::type_info*& type)
    {
        const auto* region = dynamic_cast<const gr::thzum::visible_region*>(source);
        type = region ? &typeid(gr::thzum::visible_region) : &typeid(gr::thzum::dictionary);
        return region ? static_cast<const void*>(region) : source;
    }
};

} // namespace pybind11

#endif /* INCLUDED_THZUM_PYTHON_DICTIONARY_TYPE_H */
