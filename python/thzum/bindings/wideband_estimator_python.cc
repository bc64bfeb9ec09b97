/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/***********************************************************************************/
/* This file is written by hand; the build compares the hash of the header it binds */
/* BINDTOOL_GEN_AUTOMATIC(0)                                                       */
/* BINDTOOL_USE_PYGCCXML(0)                                                        */
/* BINDTOOL_HEADER_FILE(wideband_estimator.h)                                      */
/* BINDTOOL_HEADER_FILE_HASH(af9341f4c4e5e016972ff42c24010d70) */
/***********************************************************************************/

#include "estimates.h"
#include "frequencies.h"
#include "options.h"
#include <gnuradio/thzum/wideband_estimator.h>

namespace gr {
namespace thzum {

namespace {

wideband_estimator::sptr make(const std::string& name,
                              const pilot_operator::sptr& op,
                              const py::object& frequencies,
                              double carrier_frequency,
                              const py::kwargs& kwargs)
{
    py::dict given = py::dict(kwargs).attr("copy")();
    take_array(wideband_estimators(), name, given);
    const auto band = frequencies_in(frequencies);
    const option_map options = bindings::to_options(given);
    py::gil_scoped_release release;
    return make_wideband_estimator(name, op, band, carrier_frequency, options);
}

py::tuple estimate(wideband_estimator& self, const py::object& y, const py::object& noise_var)
{
    return run_estimator(self,
                         y,
                         noise_var,
                         { self.subcarriers(), self.op()->n_observations() },
                         { self.subcarriers(), self.op()->shape().antennas() });
}

} // namespace

} // namespace thzum
} // namespace gr

void bind_wideband_estimator(pybind11::module& m)
{
    using namespace gr::thzum;

    py::class_<wideband_estimator, wideband_estimator::sptr>(
        m,
        "wideband_estimator",
        "Joint channel estimator over subcarriers under beam squint::\n\n"
        "    est = thzum.wideband_estimator(\"newtonized_omp\", op, frequencies, "
        "array.carrier_frequency,\n"
        "                                   array=array)\n"
        "    h_hat, report = est.estimate(y, noise_var)\n\n"
        "`name` is one of wideband_estimators(), `op` the pilot_operator of every subcarrier,\n"
        "`frequencies` [F] in Hz, equidistant. The options of each are listed by\n"
        "wideband_estimator_options(name); a SubarrayArray `array` gives those on its geometry. "
        "Raises\n"
        "ValueError for names, options, frequencies or sizes that do not fit. Serves one thread at "
        "a\n"
        "time.")
        .def(py::init(&make),
             py::arg("name"),
             py::arg("op"),
             py::arg("frequencies"),
             py::arg("carrier_frequency"))
        .def("estimate",
             &estimate,
             py::arg("y"),
             py::arg("noise_var") = py::none(),
             "Estimate channels over the band.\n\n"
             "y: complex [F, M] or [B, F, M]; a subcarrier of zeros counts as not measured. "
             "noise_var:\n"
             "antenna noise variance of every subcarrier, a number or [B], above 0; None estimates "
             "it\n"
             "from the pilots. Returns h_hat, complex64 [F, N] or [B, F, N], and a dictionary of "
             "arrays\n"
             "[] or [B] as estimator.estimate() does; iterations are paths for newtonized_omp, the "
             "most\n"
             "of any delay tap for fpn_oamp.")
        .def_property_readonly("name", &wideband_estimator::name, "Name in the registry.")
        .def_property_readonly(
            "op", &wideband_estimator::op, "The pilot_operator it was built for.")
        .def_property_readonly("subcarriers", &wideband_estimator::subcarriers, "Subcarriers F.")
        .def_property_readonly(
            "options",
            [](const wideband_estimator& self) { return bindings::from_options(self.options()); },
            "Options in force, {name: value}.")
        .def("__repr__", &wideband_estimator::repr);
    bindings::bind_registry(m, "wideband_estimator", &wideband_estimators);
}
