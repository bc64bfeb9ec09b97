/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_PYTHON_ARRAYS_H
#define INCLUDED_THZUM_PYTHON_ARRAYS_H

#include <gnuradio/gr_complex.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <type_traits>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

/*!
 * Checks and conversions between NumPy and the algorithm objects, for every binding.
 *
 *     const auto h = array_in<gr_complex>(value, "h", { n });            // [n] or [B, n]
 *     auto y = array_out<gr_complex>(h, { m });                          // [m] or [B, m], as h
 *     { py::gil_scoped_release release; op.forward(h.data(), y.mutable_data(), h.batch); }
 */
namespace gr {
namespace thzum {

namespace py = pybind11;

/*! A dimension of any size. */
constexpr py::ssize_t any_size = -1;

template <class T>
using contiguous = py::array_t<T, py::array::c_style | py::array::forcecast>;

/*! A checked input of \p batch items; \p batched says whether it had the batch axis. */
template <class T>
struct input_array {
    contiguous<T> values;
    int batch = 1;
    bool batched = false;

    const T* data() const { return values.data(); }

    /*! Size of an axis of one item, the batch axis not counted. */
    py::ssize_t size(int axis) const { return values.shape(axis + (batched ? 1 : 0)); }
};

template <class T>
constexpr const char* type_name()
{
    return std::is_same_v<T, gr_complex> ? "complex64"
           : std::is_same_v<T, float>    ? "float32"
                                         : "int32";
}

/*! "[a, b]" with "*" for any size; \p batch puts "B" in front. */
inline std::string describe(const std::vector<py::ssize_t>& dims, bool batch = false)
{
    std::string out = batch ? "[B" : "[";
    for (size_t i = 0; i < dims.size(); i++)
        out += std::string(i || batch ? ", " : "") +
               (dims[i] == any_size ? "*" : std::to_string(dims[i]));
    return out + "]";
}

inline std::string describe(const py::array& array)
{
    const std::vector<py::ssize_t> dims(array.shape(), array.shape() + array.ndim());
    return std::string(py::str(array.dtype())) + " of shape " + describe(dims);
}

[[noreturn]] inline void
refuse(const std::string& name, const std::string& expected, const std::string& got)
{
    throw std::invalid_argument(name + ": expected " + expected + ", got " + got);
}

/*! Whether every value is finite, by the exponent bits: safe under any floating-point option. */
inline bool all_finite(const float* values, size_t n)
{
    constexpr uint32_t exponent = 0x7f800000;
    uint32_t bad = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        std::memcpy(&bits, values + i, sizeof(bits));
        bad |= (bits & exponent) == exponent;
    }
    return !bad;
}

inline bool all_finite(const gr_complex* values, size_t n)
{
    return all_finite(reinterpret_cast<const float*>(values), 2 * n);
}

inline bool all_finite(const int32_t*, size_t) { return true; }

/*! Kinds of dtype (NumPy's dtype.kind) that convert to T without loss of meaning. */
template <class T>
bool accepts_kind(char kind)
{
    const std::string kinds = std::is_same_v<T, gr_complex> ? "biufc"
                              : std::is_same_v<T, float>    ? "biuf"
                                                            : "iu";
    return kinds.find(kind) != std::string::npos;
}

/*! Any array-like as an array, without conversion of its values. */
inline py::array any_array(const py::object& value, const std::string& name)
{
    py::array array = py::array::ensure(value);
    if (!array) {
        PyErr_Clear();
        refuse(name, "an array", std::string(py::str(py::type::of(value))));
    }
    return array;
}

/*! \p array as contiguous T, checked for NaN and Inf; not copied when it is that already. */
template <class T>
contiguous<T> converted(const py::array& array, const std::string& name)
{
    if (!accepts_kind<T>(array.dtype().kind()))
        refuse(name,
               std::string("values that convert to ") + type_name<T>(),
               std::string(py::str(array.dtype())));
    contiguous<T> values = contiguous<T>::ensure(array);
    if (!values) {
        PyErr_Clear();
        refuse(name, std::string("values that convert to ") + type_name<T>(), describe(array));
    }
    if (!all_finite(values.data(), static_cast<size_t>(values.size())))
        refuse(name, "finite values", "NaN or Inf (as " + std::string(type_name<T>()) + ")");
    return values;
}

inline bool fits(const py::array& array, const std::vector<py::ssize_t>& dims, int first_axis)
{
    if (array.ndim() != static_cast<py::ssize_t>(dims.size()) + first_axis)
        return false;
    for (size_t i = 0; i < dims.size(); i++)
        if (dims[i] != any_size && array.shape(first_axis + static_cast<int>(i)) != dims[i])
            return false;
    return true;
}

/*! Input of exactly the dimensions \p dims, without batch axis. */
template <class T>
contiguous<T> single_array_in(const py::object& value,
                              const std::string& name,
                              const std::vector<py::ssize_t>& dims)
{
    const py::array array = any_array(value, name);
    if (!fits(array, dims, 0))
        refuse(name, std::string(type_name<T>()) + " of shape " + describe(dims), describe(array));
    return converted<T>(array, name);
}

/*!
 * Input of dimensions \p dims with or without a leading batch axis.
 * \throws std::invalid_argument (ValueError in Python) naming the argument, what was expected and
 * what came
 */
template <class T>
input_array<T>
array_in(const py::object& value, const std::string& name, const std::vector<py::ssize_t>& dims)
{
    const py::array array = any_array(value, name);
    input_array<T> input;
    input.batched = fits(array, dims, 1);
    if (!input.batched && !fits(array, dims, 0))
        refuse(name,
               std::string(type_name<T>()) + " of shape " + describe(dims) + " or " +
                   describe(dims, true),
               describe(array));
    input.values = converted<T>(array, name);
    input.batch = input.batched ? static_cast<int>(array.shape(0)) : 1;
    return input;
}

/*! As array_in(), with as many items as \p like, and a batch axis where that has one. */
template <class T, class U>
input_array<T> array_in_like(const input_array<U>& like,
                             const py::object& value,
                             const std::string& name,
                             const std::vector<py::ssize_t>& dims)
{
    std::vector<py::ssize_t> full = dims;
    if (like.batched)
        full.insert(full.begin(), like.batch);
    return { single_array_in<T>(value, name, full), like.batch, like.batched };
}

/*! Uninitialised output of dimensions \p dims per item, with a batch axis where \p like has one. */
template <class T, class U>
py::array_t<T> array_out(const input_array<U>& like, const std::vector<py::ssize_t>& dims)
{
    std::vector<py::ssize_t> full = dims;
    if (like.batched)
        full.insert(full.begin(), like.batch);
    return py::array_t<T>(full);
}

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_PYTHON_ARRAYS_H */
