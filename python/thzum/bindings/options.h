/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_BINDINGS_OPTIONS_H
#define INCLUDED_THZUM_BINDINGS_OPTIONS_H

#include <gnuradio/thzum/options.h>
#include <pybind11/complex.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <cmath>
#include <stdexcept>
#include <string>

namespace gr {
namespace thzum {
namespace bindings {

namespace py = pybind11;

/*! Array option as flat row-major complex values; NaN and Inf are refused. */
inline std::vector<gr_complex> to_complex_values(const std::string& name, const py::handle& value)
{
    using array = py::array_t<gr_complex, py::array::c_style | py::array::forcecast>;
    const auto numbers = array::ensure(value);
    if (!numbers) {
        PyErr_Clear();
        throw std::invalid_argument(
            name + ": expected a flag, a number, a text or an array of numbers, got " +
            std::string(py::str(py::type::of(value).attr("__name__"))));
    }
    std::vector<gr_complex> values(numbers.data(), numbers.data() + numbers.size());
    for (const auto& v : values)
        if (!std::isfinite(v.real()) || !std::isfinite(v.imag()))
            throw std::invalid_argument(name + ": expected finite values, got NaN or Inf");
    return values;
}

/*! One keyword argument as an option; paths become text. */
inline option_value to_option(const std::string& name, const py::handle& value)
{
    const bool is_scalar = py::isinstance(value, py::module::import("numpy").attr("generic"));
    const auto plain =
        is_scalar ? py::object(value.attr("item")()) : py::reinterpret_borrow<py::object>(value);
    if (py::isinstance<py::bool_>(plain))
        return plain.cast<bool>();
    if (py::isinstance<py::int_>(plain) || py::isinstance<py::float_>(plain))
        return plain.cast<double>();
    if (py::isinstance<py::str>(plain))
        return plain.cast<std::string>();
    if (py::hasattr(plain, "__fspath__"))
        return py::str(plain.attr("__fspath__")()).cast<std::string>();
    return to_complex_values(name, plain);
}

/*! Keyword arguments, or a dictionary with text keys, as options.
 * \throws std::invalid_argument (ValueError) naming the option */
inline option_map to_options(const py::dict& given)
{
    option_map options;
    for (const auto& [key, value] : given) {
        const auto name = key.cast<std::string>();
        options[name] = to_option(name, value);
    }
    return options;
}

/*! An option value as a Python object; arrays come back as flat complex64 arrays. */
inline py::object from_option(const option_value& value)
{
    if (const auto* flag = std::get_if<bool>(&value))
        return py::bool_(*flag);
    if (const auto* number = std::get_if<double>(&value))
        return *number == std::floor(*number) && std::abs(*number) < 1e9
                   ? py::object(py::int_(static_cast<long>(*number)))
                   : py::object(py::float_(*number));
    if (const auto* text = std::get_if<std::string>(&value))
        return py::str(*text);
    const auto& values = std::get<std::vector<gr_complex>>(value);
    return py::array_t<gr_complex>(values.size(), values.data());
}

/*! Options as {name: value}; the reverse of to_options(). */
inline py::dict from_options(const option_map& options)
{
    py::dict out;
    for (const auto& [name, value] : options)
        out[py::str(name)] = from_option(value);
    return out;
}

/*! A registry as {name: description}. */
inline py::dict describe(const std::vector<algorithm_info>& registry)
{
    py::dict names;
    for (const auto& info : registry)
        names[py::str(info.name)] = info.description;
    return names;
}

/*! Options of one algorithm as {option: {"default": value, "description": text}}. */
inline py::dict describe_options(const std::vector<algorithm_info>& registry,
                                 const std::string& name)
{
    std::string known;
    for (const auto& info : registry) {
        known += (known.empty() ? "" : ", ") + info.name;
        if (info.name != name)
            continue;
        py::dict options;
        for (const auto& option : info.options) {
            py::dict entry;
            entry["default"] = from_option(option.default_value);
            entry["description"] = option.description;
            options[py::str(option.name)] = entry;
        }
        return options;
    }
    throw std::invalid_argument("name: expected one of " + known + ", got '" + name + "'");
}

/*!
 * \brief Defines FAMILYs() -> {name: description} and FAMILY_options(name) -> {option: {...}} in \p
 * m. \param family singular, as in "denoiser"
 */
inline void bind_registry(py::module& m,
                          const std::string& family,
                          const std::vector<algorithm_info>& (*registry)())
{
    m.def((family + "s").c_str(),
          [registry]() { return describe(registry()); },
          ("Names of the " + family + "s with a one-line description each.").c_str());
    m.def(
        (family + "_options").c_str(),
        [registry](const std::string& name) { return describe_options(registry(), name); },
        py::arg("name"),
        ("Options of one " + family + " as {option: {\"default\": value, \"description\": text}}.")
            .c_str());
}

/*! set_algorithm() of a block, which may build a network: without the GIL. */
template <typename Block>
void set_algorithm(Block& self, const std::string& name, const py::dict& options)
{
    const auto map = to_options(options);
    py::gil_scoped_release release;
    self.set_algorithm(name, map);
}

} // namespace bindings
} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_BINDINGS_OPTIONS_H */
