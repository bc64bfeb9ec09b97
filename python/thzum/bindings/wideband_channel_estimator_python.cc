/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/***********************************************************************************/
/* This file is written by hand; the build compares the hash of the header it binds */
/* BINDTOOL_GEN_AUTOMATIC(0)                                                       */
/* BINDTOOL_USE_PYGCCXML(0)                                                        */
/* BINDTOOL_HEADER_FILE(wideband_channel_estimator.h)                              */
/* BINDTOOL_HEADER_FILE_HASH(a814d9c45152420177f650203932bdae) */
/***********************************************************************************/

#include "frequencies.h"
#include "options.h"
#include <gnuradio/thzum/wideband_channel_estimator.h>
#include <pybind11/pybind11.h>

namespace py = pybind11;

namespace {

using gr::thzum::wideband_channel_estimator;
using gr::thzum::bindings::to_options;

wideband_channel_estimator::sptr make(gr::thzum::pilot_operator::sptr op,
                                      const py::object& frequencies,
                                      double carrier_frequency,
                                      const std::string& algorithm,
                                      const py::dict& options,
                                      double noise_var,
                                      const py::dict& array_options)
{
    const auto band = gr::thzum::frequencies_in(frequencies);
    const auto map = to_options(options), of_array = to_options(array_options);
    py::gil_scoped_release release;
    return wideband_channel_estimator::make(
        std::move(op), band, carrier_frequency, algorithm, map, noise_var, of_array);
}

} // namespace

void bind_wideband_channel_estimator(py::module& m)
{
    using release_gil = py::call_guard<py::gil_scoped_release>;
    py::class_<wideband_channel_estimator,
               gr::sync_block,
               gr::block,
               gr::basic_block,
               std::shared_ptr<wideband_channel_estimator>>(
        m,
        "wideband_channel_estimator",
        "Block: pilots of all subcarriers of a channel (complex64 vectors of F * op.n_observations,\n"
        "[F, M]) in, its channel estimates (complex64 vectors of F * op.n_antennas, [F, N]) out.\n\n"
        "Args:\n"
        "    op: pilot_operator of every subcarrier; the block works on a copy of its own.\n"
        "    frequencies: of the subcarriers, [F] in Hz, equidistant.\n"
        "    carrier_frequency: in Hz, at which array_options count wavelengths.\n"
        "    algorithm: one of wideband_estimators().\n"
        "    options: dict of the algorithm's options, see wideband_estimator_options(name).\n"
        "    noise_var: antenna noise variance; 0 takes the tag thzum_noise_var, or, on items without\n"
        "        it, estimates it from the pilots.\n"
        "    array_options: dict of spacing and subarray_centres, as PilotPlan.array_options.\n\n"
        "Items that cannot be estimated become zeros with the tag thzum_skipped. Message ports: report\n"
        "(out, a dictionary per item) and control (in: algorithm, options, noise_var).")
        .def(py::init(&make),
             py::arg("op"),
             py::arg("frequencies"),
             py::arg("carrier_frequency"),
             py::arg("algorithm") = "newtonized_omp",
             py::arg("options") = py::dict(),
             py::arg("noise_var") = 0.0,
             py::arg("array_options") = py::dict())
        .def("set_algorithm",
             &gr::thzum::bindings::set_algorithm<wideband_channel_estimator>,
             py::arg("name"),
             py::arg("options") = py::dict(),
             "Change the algorithm while running; ValueError leaves the old one in place.")
        .def("set_noise_var",
             &wideband_channel_estimator::set_noise_var,
             py::arg("noise_var"),
             "Antenna noise variance; 0 = from the tag or the pilots.")
        .def("algorithm",
             &wideband_channel_estimator::algorithm,
             release_gil(),
             "Name of the algorithm in use.")
        .def("settings",
             &wideband_channel_estimator::settings,
             release_gil(),
             "Settings of the algorithm in use, in one line.")
        .def("noise_var",
             &wideband_channel_estimator::noise_var,
             "Noise variance given; 0 = from the tag or the pilots.")
        .def("estimates", &wideband_channel_estimator::estimates, "Items estimated so far.")
        .def("skipped", &wideband_channel_estimator::skipped, "Items skipped so far.");
}
