/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/* BINDTOOL_GEN_AUTOMATIC(0)                                              */
/* BINDTOOL_USE_PYGCCXML(0)                                               */
/* BINDTOOL_HEADER_FILE(hybrid_field_model.h)                             */
/* BINDTOOL_HEADER_FILE_HASH(cb87472293116f3ca71089f714c30cd4) */

#include <pybind11/complex.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace py = pybind11;

#include <gnuradio/thzum/hybrid_field_model.h>

namespace {

using gr::thzum::array_shape;
using gr::thzum::hybrid_field_model;
using gr::thzum::hybrid_field_parameters;
using gr::thzum::hybrid_field_path;

using real_array = py::array_t<double, py::array::c_style | py::array::forcecast>;
using flag_array = py::array_t<bool, py::array::c_style | py::array::forcecast>;

hybrid_field_parameters make_parameters(int n_subarrays,
                                        int rows,
                                        int cols,
                                        std::vector<double> origins,
                                        double spacing,
                                        double carrier_frequency,
                                        double wavelength,
                                        double rayleigh_distance,
                                        int n_paths,
                                        double los_distance,
                                        double scatterer_min,
                                        double scatterer_max,
                                        double delay_spread,
                                        std::complex<double> refractive_index,
                                        double surface_roughness)
{
    return { array_shape{ n_subarrays, rows, cols },
             std::move(origins),
             spacing,
             carrier_frequency,
             wavelength,
             rayleigh_distance,
             n_paths,
             los_distance,
             scatterer_min,
             scatterer_max,
             delay_spread,
             refractive_index,
             surface_roughness };
}

int checked_batch(int batch)
{
    if (batch < 1)
        throw std::invalid_argument("batch: expected an integer of at least 1, got " +
                                    std::to_string(batch));
    return batch;
}

py::array_t<gr_complex>
response_of(hybrid_field_model& model, const std::vector<hybrid_field_path>& paths, int batch)
{
    py::array_t<gr_complex> h({ batch, model.parameters().shape.antennas() });
    gr_complex* out = h.mutable_data();
    py::gil_scoped_release no_gil;
    model.response(paths.data(), out, batch);
    return h;
}

py::tuple draw_paths(hybrid_field_model& model, int batch, uint64_t seed)
{
    const int n_paths = model.parameters().n_paths;
    std::vector<hybrid_field_path> paths(size_t(checked_batch(batch)) * n_paths);
    std::mt19937_64 generator(seed);
    model.draw_paths(generator, paths.data(), batch);
    const auto column = [&](auto hybrid_field_path::*field) {
        using value = std::decay_t<decltype(paths[0].*field)>;
        py::array_t<value> values({ batch, n_paths });
        std::transform(paths.begin(),
                       paths.end(),
                       values.mutable_data(),
                       [field](const auto& path) { return path.*field; });
        return values;
    };
    return py::make_tuple(column(&hybrid_field_path::amplitude),
                          column(&hybrid_field_path::delay),
                          column(&hybrid_field_path::distance),
                          column(&hybrid_field_path::elevation),
                          column(&hybrid_field_path::azimuth),
                          column(&hybrid_field_path::near));
}

py::array_t<gr_complex> response(hybrid_field_model& model,
                                 const real_array& amplitude,
                                 const real_array& delay,
                                 const real_array& distance,
                                 const real_array& elevation,
                                 const real_array& azimuth,
                                 const flag_array& near)
{
    const int n_paths = model.parameters().n_paths;
    const py::ssize_t batch = amplitude.ndim() == 2 ? amplitude.shape(0) : 0;
    const auto check = [&](const char* name, const py::array& values) {
        if (batch < 1 || values.ndim() != 2 || values.shape(0) != batch ||
            values.shape(1) != n_paths)
            throw std::invalid_argument(
                std::string(name) +
                ": expected shape [B, n_paths] with n_paths = " + std::to_string(n_paths) +
                " and the same B >= 1 for all, got " + std::string(py::str(values.attr("shape"))));
    };
    std::vector<hybrid_field_path> paths(std::max<size_t>(amplitude.size(), 1));
    const auto fill = [&](const char* name, const real_array& values, auto field) {
        check(name, values);
        for (size_t i = 0; i < paths.size(); i++) {
            if (!std::isfinite(values.data()[i]))
                throw std::invalid_argument(std::string(name) +
                                            ": expected finite values, got NaN or Inf");
            paths[i].*field = values.data()[i];
        }
    };
    fill("amplitude", amplitude, &hybrid_field_path::amplitude);
    fill("delay", delay, &hybrid_field_path::delay);
    fill("distance", distance, &hybrid_field_path::distance);
    fill("elevation", elevation, &hybrid_field_path::elevation);
    fill("azimuth", azimuth, &hybrid_field_path::azimuth);
    check("near", near);
    for (size_t i = 0; i < paths.size(); i++)
        paths[i].near = near.data()[i];
    return response_of(model, paths, int(batch));
}

py::array_t<gr_complex> sample(hybrid_field_model& model, int batch, uint64_t seed)
{
    std::vector<hybrid_field_path> paths(size_t(checked_batch(batch)) * model.parameters().n_paths);
    std::mt19937_64 generator(seed);
    model.draw_paths(generator, paths.data(), batch);
    return response_of(model, paths, batch);
}

void bind_parameters(py::module& m)
{
    py::class_<hybrid_field_parameters>(m,
                                        "hybrid_field_parameters",
                                        "Array and path statistics of a hybrid_field_model; "
                                        "gnuradio.thzum.channel.native.parameters "
                                        "fills it from a channel preset.")
        .def(py::init(&make_parameters),
             py::arg("n_subarrays"),
             py::arg("rows"),
             py::arg("cols"),
             py::arg("origins"),
             py::arg("spacing"),
             py::arg("carrier_frequency"),
             py::arg("wavelength"),
             py::arg("rayleigh_distance"),
             py::arg("n_paths"),
             py::arg("los_distance"),
             py::arg("scatterer_min"),
             py::arg("scatterer_max"),
             py::arg("delay_spread"),
             py::arg("refractive_index"),
             py::arg("surface_roughness"))
        .def_property_readonly("n_antennas",
                               [](const hybrid_field_parameters& p) { return p.shape.antennas(); })
        .def_readonly("origins", &hybrid_field_parameters::origins)
        .def_readonly("spacing", &hybrid_field_parameters::spacing)
        .def_readonly("carrier_frequency", &hybrid_field_parameters::carrier_frequency)
        .def_readonly("wavelength", &hybrid_field_parameters::wavelength)
        .def_readonly("rayleigh_distance", &hybrid_field_parameters::rayleigh_distance)
        .def_readonly("n_paths", &hybrid_field_parameters::n_paths)
        .def_readonly("los_distance", &hybrid_field_parameters::los_distance)
        .def_readonly("scatterer_min", &hybrid_field_parameters::scatterer_min)
        .def_readonly("scatterer_max", &hybrid_field_parameters::scatterer_max)
        .def_readonly("delay_spread", &hybrid_field_parameters::delay_spread)
        .def_readonly("refractive_index", &hybrid_field_parameters::refractive_index)
        .def_readonly("surface_roughness", &hybrid_field_parameters::surface_roughness);
}

} // namespace

void bind_hybrid_field_model(py::module& m)
{
    bind_parameters(m);
    py::class_<hybrid_field_model, hybrid_field_model::sptr>(
        m,
        "hybrid_field_model",
        "Random hybrid near- and far-field channels in C++; the fast twin of HybridFieldChannel.")
        .def(py::init(&hybrid_field_model::make), py::arg("parameters"))
        .def("draw_paths",
             &draw_paths,
             py::arg("batch"),
             py::arg("seed") = 0,
             "Random paths: amplitude, delay, distance, elevation, azimuth (float64 [B, L]) and "
             "near "
             "(bool [B, L]).")
        .def("response",
             &response,
             py::arg("amplitude"),
             py::arg("delay"),
             py::arg("distance"),
             py::arg("elevation"),
             py::arg("azimuth"),
             py::arg("near"),
             "Channels complex64 [B, N] of given paths [B, L], each scaled to ||h||^2 = N.")
        .def("sample",
             &sample,
             py::arg("batch"),
             py::arg("seed") = 0,
             "Random channels complex64 [B, N]; the same seed gives the same channels.")
        .def_property_readonly("parameters", &hybrid_field_model::parameters)
        .def("__repr__", &hybrid_field_model::repr);
}
