/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/* BINDTOOL_GEN_AUTOMATIC(0)                                              */
/* BINDTOOL_USE_PYGCCXML(0)                                               */
/* BINDTOOL_HEADER_FILE(uplink_channel.h)                                 */
/* BINDTOOL_HEADER_FILE_HASH(0da82eb31ec870ac657320b93c6c00c4) */

#include "arrays.h"
#include "options.h"
#include <pybind11/stl.h>
#include <algorithm>
#include <cmath>

#include <gnuradio/thzum/uplink_channel.h>

namespace py = pybind11;

namespace {

using gr::thzum::any_size;
using gr::thzum::array_shape;
using gr::thzum::uplink_channel;
using gr::thzum::uplink_parameters;
using gr::thzum::uplink_schedule;

template <class T>
std::vector<T> values(const py::object& given, const char* name, std::vector<py::ssize_t> dims)
{
    const auto array = gr::thzum::single_array_in<T>(given, name, dims);
    return std::vector<T>(array.data(), array.data() + array.size());
}

std::vector<double> reals(const py::object& given, const char* name, std::vector<py::ssize_t> dims)
{
    using doubles = py::array_t<double, py::array::c_style | py::array::forcecast>;
    const auto array = doubles::ensure(given);
    if (!array)
        PyErr_Clear();
    if (!array || !gr::thzum::fits(array, dims, 0))
        gr::thzum::refuse(name,
                          "float64 of shape " + gr::thzum::describe(dims),
                          std::string(py::str(py::type::of(given))));
    return std::vector<double>(array.data(), array.data() + array.size());
}

uplink_parameters make_parameters(int n_subarrays,
                                  int rows,
                                  int cols,
                                  const py::object& gain,
                                  const py::object& along_y,
                                  const py::object& along_x,
                                  const py::object& delay,
                                  const py::object& doppler,
                                  int delay_taps,
                                  const py::object& combiners,
                                  std::vector<int> entries,
                                  std::vector<int64_t> lengths,
                                  int64_t start,
                                  int64_t coherence_samples,
                                  double noise_var,
                                  int64_t h_interval,
                                  int64_t h_offset,
                                  uint64_t seed,
                                  double sample_rate,
                                  const py::dict& hardware)
{
    const py::array shape = gr::thzum::any_array(gain, "gain");
    if (shape.ndim() != 4)
        gr::thzum::refuse("gain",
                          "complex64 of shape [realisations, users, paths, subarrays]",
                          gr::thzum::describe(shape));
    const py::ssize_t b = shape.shape(0), k = shape.shape(1), l = shape.shape(2);
    return { array_shape{ n_subarrays, rows, cols },
             int(b),
             int(k),
             int(l),
             values<gr_complex>(gain, "gain", { b, k, l, n_subarrays }),
             values<gr_complex>(along_y, "along_y", { b, k, l, n_subarrays, rows }),
             values<gr_complex>(along_x, "along_x", { b, k, l, n_subarrays, cols }),
             reals(delay, "delay", { b, k, l }),
             reals(doppler, "doppler", { b, k, l }),
             delay_taps,
             values<gr_complex>(combiners, "combiners", { any_size, n_subarrays, rows * cols }),
             { std::move(entries), std::move(lengths), start },
             coherence_samples,
             noise_var,
             h_interval,
             h_offset,
             seed,
             sample_rate,
             gr::thzum::bindings::to_options(hardware) };
}

py::object process(uplink_channel& channel, const py::object& samples)
{
    // Samples that are not finite are the channel's own matter.
    using complexes = py::array_t<gr_complex, py::array::c_style | py::array::forcecast>;
    const auto x = complexes::ensure(samples);
    if (!x)
        PyErr_Clear();
    const int users = channel.n_users(), chains = channel.shape().n_subarrays;
    if (!x || x.ndim() != 2 || x.shape(0) != users)
        gr::thzum::refuse("samples",
                          "complex64 of shape [" + std::to_string(users) + ", *], a row per user",
                          x ? gr::thzum::describe(x) : std::string(py::str(py::type::of(samples))));
    const py::ssize_t count = x.shape(1);
    // A sampling clock is at most a tenth faster, and holds back what is due from the call before.
    const py::ssize_t room = count + count / 8 + 64;
    py::array_t<gr_complex> y({ py::ssize_t(chains), room });
    std::vector<const gr_complex*> inputs;
    std::vector<gr_complex*> outputs;
    for (int k = 0; k < users; k++)
        inputs.push_back(x.data() + k * count);
    for (int s = 0; s < chains; s++)
        outputs.push_back(y.mutable_data() + s * room);
    uplink_channel::progress done;
    {
        py::gil_scoped_release no_gil;
        done = channel.process(inputs.data(), int(count), outputs.data(), int(room));
    }
    return y[py::make_tuple(py::ellipsis(), py::slice(0, done.produced, 1))].cast<py::object>();
}

py::array_t<gr_complex> true_channel(uplink_channel& channel, int64_t sample)
{
    const py::ssize_t antennas = channel.shape().antennas();
    py::array_t<gr_complex> h({ py::ssize_t(channel.n_users()), antennas });
    gr_complex* out = h.mutable_data();
    py::gil_scoped_release no_gil;
    for (int k = 0; k < channel.n_users(); k++)
        channel.true_channel(sample, k, out + k * antennas);
    return h;
}

} // namespace

void bind_uplink_channel(py::module& m)
{
    py::class_<uplink_parameters>(m,
                                  "uplink_parameters",
                                  R"(Paths, combiners and settings of an uplink channel.

gnuradio.thzum.channel.UplinkChannel checks and fills this; see there for the meaning. Shapes: gain
[B, K, L, S], along_y [B, K, L, S, rows], along_x [B, K, L, S, cols], delay in samples and doppler in
cycles per sample [B, K, L], combiners [E, S, rows * cols].)")
        .def(py::init(&make_parameters),
             py::kw_only(),
             py::arg("n_subarrays"),
             py::arg("rows"),
             py::arg("cols"),
             py::arg("gain"),
             py::arg("along_y"),
             py::arg("along_x"),
             py::arg("delay"),
             py::arg("doppler"),
             py::arg("delay_taps"),
             py::arg("combiners"),
             py::arg("entries"),
             py::arg("lengths"),
             py::arg("start"),
             py::arg("coherence_samples"),
             py::arg("noise_var"),
             py::arg("h_interval"),
             py::arg("h_offset"),
             py::arg("seed"),
             py::arg("sample_rate"),
             py::arg("hardware"))
        .def_readonly("n_realisations", &uplink_parameters::n_realisations)
        .def_readonly("n_users", &uplink_parameters::n_users)
        .def_readonly("n_paths", &uplink_parameters::n_paths)
        .def_property_readonly("n_subarrays",
                               [](const uplink_parameters& p) { return p.shape.n_subarrays; })
        .def_property_readonly("n_antennas",
                               [](const uplink_parameters& p) { return p.shape.antennas(); });

    py::class_<uplink_channel, std::shared_ptr<uplink_channel>>(
        m,
        "uplink_channel",
        R"(The uplink at sample rate in C++, as the block thz_uplink_channel runs it.

Same as gnuradio.thzum.channel.UplinkChannel in single precision.

Args:
    parameters: from UplinkChannel.parameters().)")
        .def(py::init(&uplink_channel::make), py::arg("parameters"))
        .def("process",
             &process,
             py::arg("samples"),
             "RF chains' samples complex64 [S, n] for the users' samples [K, n].")
        .def("true_channel",
             &true_channel,
             py::arg("sample"),
             "Channels complex64 [K, N] at a channel time.")
        .def(
            "set_schedule",
            [](uplink_channel& channel,
               std::vector<int> entries,
               std::vector<int64_t> lengths,
               int64_t sample) {
                channel.set_schedule({ std::move(entries), std::move(lengths), sample }, sample);
            },
            py::arg("entries"),
            py::arg("lengths"),
            py::arg("sample"),
            "Another frame of combiners, which begins at the channel time sample.")
        .def("set_noise_var", &uplink_channel::set_noise_var, py::arg("noise_var"))
        .def_property_readonly("noise_var", &uplink_channel::noise_var)
        .def_property_readonly("time", &uplink_channel::time, "Channel time of the next output.")
        .def_property_readonly("latency",
                               &uplink_channel::latency,
                               "Samples by which an output lags behind the input of its number.")
        .def_property_readonly("tail",
                               &uplink_channel::tail,
                               "Zeros that bring out what is due at the end of a stream.")
        .def_property_readonly("bad_samples",
                               &uplink_channel::bad_samples,
                               "Samples that were not finite and counted as zero.");
}
