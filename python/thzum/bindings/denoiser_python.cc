/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/***********************************************************************************/
/* This file is written by hand; the build checks that the header did not change.  */
/* BINDTOOL_GEN_AUTOMATIC(0)                                                        */
/* BINDTOOL_USE_PYGCCXML(0)                                                         */
/* BINDTOOL_HEADER_FILE(denoiser.h)                                                 */
/* BINDTOOL_HEADER_FILE_HASH(8c67d576b42e68f18e955d3e5887dce2)                      */
/***********************************************************************************/

#include "options.h"
#include <gnuradio/thzum/denoiser.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <algorithm>

namespace py = pybind11;

namespace {

using namespace gr::thzum;
using complex_array = py::array_t<gr_complex, py::array::c_style | py::array::forcecast>;
using float_array = py::array_t<float, py::array::c_style | py::array::forcecast>;

denoiser::sptr make(const std::string& name,
                    int n_subarrays,
                    int rows,
                    int cols,
                    double spacing,
                    int max_batch,
                    const py::kwargs& options)
{
    const auto given = bindings::to_options(options);
    py::gil_scoped_release release;
    return make_denoiser(name, { n_subarrays, rows, cols }, given, max_batch, spacing);
}

int item_size(const denoiser& d) { return d.shape().n_subarrays * d.dict()->coefficients(); }

std::string dims_text(const py::array& array)
{
    return py::str(array.attr("shape")).cast<std::string>();
}

complex_array coefficients_in(const py::object& r, int size)
{
    const auto array = py::array::ensure(r);
    if (!array || array.dtype().kind() != 'c')
        throw std::invalid_argument("r: expected an array of complex64");
    if (array.ndim() < 1 || array.ndim() > 2 || array.shape(array.ndim() - 1) != size)
        throw std::invalid_argument("r: expected complex64 [B, " + std::to_string(size) + "] or [" +
                                    std::to_string(size) + "], got shape " + dims_text(array));
    const auto values = complex_array::ensure(array);
    for (py::ssize_t i = 0; i < values.size(); i++)
        if (!std::isfinite(values.data()[i].real()) || !std::isfinite(values.data()[i].imag()))
            throw std::invalid_argument("r: expected finite values, got NaN or Inf");
    return values;
}

std::vector<float> variance_in(const py::object& variance, py::ssize_t batch)
{
    const auto array = float_array::ensure(variance);
    if (!array || (array.size() != 1 && array.size() != batch) || array.ndim() > 1)
        throw std::invalid_argument("variance: expected a number or [" + std::to_string(batch) +
                                    "]");
    std::vector<float> values(batch);
    for (py::ssize_t b = 0; b < batch; b++)
        values[b] = array.data()[array.size() == 1 ? 0 : b];
    return values;
}

py::tuple denoise(denoiser& d, const py::object& r, const py::object& variance)
{
    const int size = item_size(d);
    const auto in = coefficients_in(r, size);
    const py::ssize_t batch = in.size() / size;
    const auto noise = variance_in(variance, batch);
    std::vector<py::ssize_t> dims;
    if (in.ndim() == 2)
        dims.push_back(batch);
    py::array_t<float> error(dims), divergence(dims);
    dims.push_back(size);
    complex_array x_hat(dims);
    {
        auto* out = x_hat.mutable_data();
        auto *e = error.mutable_data(), *v = divergence.mutable_data();
        py::gil_scoped_release release;
        for (py::ssize_t done = 0; done < batch; done += d.max_batch()) {
            const auto part = std::min<py::ssize_t>(d.max_batch(), batch - done);
            d.denoise(
                in.data() + done * size, &noise[done], part, out + done * size, e + done, v + done);
        }
    }
    return py::make_tuple(x_hat, error, divergence);
}

} // namespace

void bind_denoiser(py::module& m)
{
    bindings::bind_registry(m, "denoiser", &denoisers);

    py::class_<denoiser, denoiser::sptr>(m, "denoiser", R"doc(
Non-linear module of an iteration: estimate of x from r = x + white complex Gaussian noise.

x are the coefficients of all subarrays in the denoiser's dictionary, at the scale of channels with unit
power per antenna.

Args:
    name: one of denoisers().
    n_subarrays, rows, cols: the array.
    spacing: element spacing in wavelengths.
    max_batch: items computed in one go; larger batches run in pieces.
    options: as denoiser_options(name) lists them.

Raises:
    ValueError: unknown name or option, or a model that does not fit the array.
    RuntimeError: a model file that is missing, damaged or of another task.
)doc")
        .def(py::init(&make),
             py::arg("name"),
             py::arg("n_subarrays"),
             py::arg("rows"),
             py::arg("cols"),
             py::arg("spacing") = 0.2,
             py::arg("max_batch") = 16)
        .def("denoise", &denoise, py::arg("r"), py::arg("variance"), R"doc(
Denoise coefficients.

Args:
    r: complex64 [B, S*k] or [S*k], finite.
    variance: noise variance of one complex coefficient, > 0; a number or [B].

Returns:
    (x_hat, error_variance, divergence): complex64 like r, the predicted mean-square error of one
    coefficient and (1/(S*k)) sum_i dx_i/dr_i (Wirtinger derivative), both float32 [B].
)doc")
        .def_property_readonly("name", &denoiser::name, "Name in the registry.")
        .def_property_readonly("dictionary", &denoiser::dict, "Dictionary of the coefficients.")
        .def_property_readonly(
            "coefficients", &item_size, "Coefficients S*k of one item over all subarrays.")
        .def_property_readonly("max_batch", &denoiser::max_batch, "Items computed in one go.")
        .def("__repr__", &denoiser::repr);
}
