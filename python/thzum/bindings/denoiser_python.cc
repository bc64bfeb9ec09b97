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
/* BINDTOOL_HEADER_FILE_HASH(a0f4b4ed1e589b35ff20900e9199e5b2)                      */
/***********************************************************************************/

#include "arrays.h"
#include "dictionary_type.h"
#include "options.h"
#include <gnuradio/thzum/denoiser.h>
#include <algorithm>

namespace gr {
namespace thzum {

namespace {

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

/*! Noise variance of each of \p batch items, from one number or one per item. */
std::vector<float> variance_in(const py::object& variance, int batch)
{
    const auto given = array_in<float>(variance, "variance", {});
    if (given.batched && given.batch != batch)
        refuse("variance",
               "a number or float32 of shape " + describe({ batch }),
               describe(given.values));
    std::vector<float> values(batch);
    for (int b = 0; b < batch; b++)
        values[b] = given.data()[given.batched ? b : 0];
    return values;
}

py::tuple denoise(denoiser& self, const py::object& coefficients, const py::object& variance)
{
    const int size = item_size(self);
    const auto r = array_in<gr_complex>(coefficients, "r", { size });
    const auto noise = variance_in(variance, r.batch);
    auto x_hat = array_out<gr_complex>(r, { size });
    auto error = array_out<float>(r, {});
    auto divergence = array_out<float>(r, {});
    gr_complex* x = x_hat.mutable_data();
    float* e = error.mutable_data();
    float* d = divergence.mutable_data();
    {
        py::gil_scoped_release release;
        for (int b = 0; b < r.batch; b += self.max_batch()) {
            const int part = std::min(self.max_batch(), r.batch - b);
            const auto first = static_cast<size_t>(b) * size;
            self.denoise(r.data() + first, &noise[b], part, x + first, e + b, d + b);
        }
    }
    return py::make_tuple(x_hat, error, divergence);
}

} // namespace

} // namespace thzum
} // namespace gr

void bind_denoiser(pybind11::module& m)
{
    using namespace gr::thzum;

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
