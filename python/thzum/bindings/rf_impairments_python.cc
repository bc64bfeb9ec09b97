/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/***********************************************************************************/
/* BINDTOOL_GEN_AUTOMATIC(0)                                                       */
/* BINDTOOL_USE_PYGCCXML(0)                                                        */
/* BINDTOOL_HEADER_FILE(rf_impairments.h)                                       */
/* BINDTOOL_HEADER_FILE_HASH(adb02c926fff0079e168cf545fef4538) */
/***********************************************************************************/

#include "options.h"
#include <gnuradio/thzum/rf_impairments.h>
#include <pybind11/pybind11.h>

namespace py = pybind11;

namespace {

using gr::thzum::rf_impairments;
using gr::thzum::bindings::to_options;

rf_impairments::sptr make(int n_chains, double sample_rate, const py::kwargs& options)
{
    const auto map = to_options(options);
    py::gil_scoped_release release;
    return rf_impairments::make(n_chains, sample_rate, map);
}

void set_options(rf_impairments& self, const py::kwargs& options)
{
    const auto map = to_options(options);
    py::gil_scoped_release release;
    self.set_options(map);
}

py::dict options(const rf_impairments& self)
{
    return gr::thzum::bindings::from_options(self.options());
}

} // namespace

void bind_rf_impairments(py::module& m)
{
    py::class_<rf_impairments, gr::block, gr::basic_block, std::shared_ptr<rf_impairments>>(
        m,
        "rf_impairments",
        R"(Block: the hardware of a sub-terahertz receiver. n_chains complex streams in, as many out.

In this order, each if its option is true: low_noise_amplifier, frequency_offset, phase_noise,
iq_imbalance, sampling_offset, adc. Models and, for a seed, numbers are those of
thzum.channel.hardware.Hardware.receive, in single precision.

Args:
    n_chains: number of RF chains, 1 to 64.
    sample_rate: in Hz.
    options: as keyword arguments; rf_impairments_options() lists them with units and defaults.

Samples that are not finite become zero and are counted. Message ports: control (in: a dictionary of
options and values) and report (out: replaced, the number of such samples).

Raises:
    ValueError: naming the option, what was expected and what came.)")
        .def(py::init(&make), py::arg("n_chains"), py::arg("sample_rate"))
        .def(
            "set_options",
            &set_options,
            "Change options, given as keyword arguments, while running; those not given stay. A "
            "ValueError\n"
            "changes nothing. Sampling offset, frequency_offset_phase, and of the phase noise k3,\n"
            "flicker_low, shared and seed cannot change.")
        .def("options", &options, "Every option in force as {name: value}.")
        .def("replaced",
             &rf_impairments::replaced,
             "Samples, over all chains, that were not finite and became zero.");
    m.def(
        "rf_impairments_options",
        [] {
            const auto& info = gr::thzum::rf_impairments_info();
            return gr::thzum::bindings::describe_options({ info }, info.name);
        },
        "Options of rf_impairments as {option: {\"default\": value, \"description\": text}}.");
}
