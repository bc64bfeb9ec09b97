/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/***********************************************************************************/
/* BINDTOOL_GEN_AUTOMATIC(0)                                                       */
/* BINDTOOL_USE_PYGCCXML(0)                                                        */
/* BINDTOOL_HEADER_FILE(soapy_source.h)                                            */
/* BINDTOOL_HEADER_FILE_HASH(15ec914b6afba7a9ce946e7dfe003605)                     */
/***********************************************************************************/

#include <gnuradio/thzum/soapy_source.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace py = pybind11;

void bind_soapy_source(py::module& m)
{
    using gr::thzum::soapy_source;
    const auto free = py::call_guard<py::gil_scoped_release>();
    py::class_<soapy_source,
               gr::sync_block,
               gr::block,
               gr::basic_block,
               std::shared_ptr<soapy_source>>(
        m,
        "soapy_source",
        R"(Block: the RF chains of any multi-channel SoapySDR device, in step with its clock.

Outputs: one stream of complex samples per RF chain. NaN stand in for samples that the device lost, so
that streams keep time and no frame is joined from two. Tags rx_time at the first sample and behind a gap,
thzum_lost (samples) where a gap begins. Port report: {overflows, lost_samples, unfilled_samples, time};
port control: {frequency, gain or a setting of the device}.

Args:
    device: SoapySDR arguments, "driver=...".
    n_chains: RF chains, the device's channels 0 .. n_chains - 1.
    sample_rate: in Hz, which the device has to meet to 1e-6; 0 takes the device's own.
    frequency: of all channels in Hz; 0 leaves them as they are.
    gain: of all channels in dB; -1000 leaves them as they are.
    stream: SoapySDR stream arguments.
    longest_gap: seconds of lost samples that NaN stand in for at a time.

Raises:
    ValueError: no such device, too few channels, another sample rate.)")
        .def(py::init([](const std::string& device,
                         int n_chains,
                         double sample_rate,
                         double frequency,
                         double gain,
                         const std::string& stream,
                         double longest_gap) {
                 return soapy_source::make(
                     { device, n_chains, sample_rate, frequency, gain, stream, longest_gap });
             }),
             py::arg("device"),
             py::arg("n_chains"),
             py::arg("sample_rate"),
             py::arg("frequency") = 0.0,
             py::arg("gain") = -1000.0,
             py::arg("stream") = "",
             py::arg("longest_gap") = 0.5,
             free)
        .def_static("is_available",
                    &soapy_source::is_available,
                    "Whether the module was built with SoapySDR.")
        .def("set_setting",
             &soapy_source::set_setting,
             py::arg("key"),
             py::arg("value"),
             free,
             "A device's own setting, as text.")
        .def("set_frequency",
             &soapy_source::set_frequency,
             py::arg("frequency"),
             free,
             "Tune all channels, in Hz.")
        .def("set_gain",
             &soapy_source::set_gain,
             py::arg("gain"),
             py::arg("chain") = -1,
             free,
             "Gain in dB of a chain, or of all.")
        .def("information", &soapy_source::information, "What the device tells of itself.")
        .def("sample_rate", &soapy_source::sample_rate, "In Hz, as the device has it.")
        .def("overflows", &soapy_source::overflows, "Overflows that the device reported.")
        .def("lost_samples",
             &soapy_source::lost_samples,
             "Samples that never came, by the device's timestamps.")
        .def("unfilled_samples",
             &soapy_source::unfilled_samples,
             "Of these, samples that no NaN stand in for.")
        .def("received_samples",
             &soapy_source::received_samples,
             "Samples of each chain that came.");
}
