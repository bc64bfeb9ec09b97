/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/***********************************************************************************/
/* This file is written by hand; the build compares the hash of the header it binds */
/* BINDTOOL_GEN_AUTOMATIC(0)                                                       */
/* BINDTOOL_USE_PYGCCXML(0)                                                        */
/* BINDTOOL_HEADER_FILE(tracking_estimator.h)                                      */
/* BINDTOOL_HEADER_FILE_HASH(542d86ccbf09186967fd45f9855fa84e) */
/***********************************************************************************/

#include "estimates.h"
#include <gnuradio/thzum/tracking_estimator.h>
#include <numeric>

namespace gr {
namespace thzum {

namespace {

/*! Streams [B], by default 0, 1, 2, ... */
std::vector<int> streams_in(const py::object& stream, int batch, int most)
{
    std::vector<int> streams(batch);
    if (stream.is_none()) {
        std::iota(streams.begin(), streams.end(), 0);
        if (batch > most)
            refuse("stream",
                   "one for each of " + std::to_string(batch) + " items where there are only " +
                       std::to_string(most),
                   "none");
        return streams;
    }
    const auto given = any_array(stream, "stream");
    if (given.ndim() > 1 || given.size() != batch)
        refuse("stream", "int32 of shape [" + std::to_string(batch) + "]", describe(given));
    const auto values = converted<int32_t>(given, "stream");
    for (int b = 0; b < batch; ++b) {
        streams[b] = values.data()[b];
        if (streams[b] < 0 || streams[b] >= most)
            refuse("stream",
                   "integers from 0 to " + std::to_string(most - 1),
                   std::to_string(streams[b]));
    }
    return streams;
}

py::tuple estimate(tracking_estimator& self,
                   const py::object& y,
                   const py::object& noise_var,
                   const py::object& stream)
{
    const auto& op = *self.inner()->op();
    const auto pilots = array_in<gr_complex>(y, "y", { op.n_observations() });
    const auto variances = noise_variances(noise_var, pilots.batch);
    const auto streams = streams_in(stream, pilots.batch, self.streams());
    auto h_hat = array_out<gr_complex>(pilots, { op.shape().antennas() });
    gr_complex* out = h_hat.mutable_data();
    std::vector<estimate_report> reports(pilots.batch);
    {
        py::gil_scoped_release release;
        self.estimate(pilots.data(),
                      noise_var.is_none() ? nullptr : variances.data(),
                      streams.data(),
                      pilots.batch,
                      out,
                      reports.data());
    }
    return py::make_tuple(h_hat, to_dict(reports, pilots.batched));
}

void reset(tracking_estimator& self, const py::object& stream)
{
    if (stream.is_none())
        self.reset();
    else
        self.reset(stream.cast<int>());
}

} // namespace

} // namespace thzum
} // namespace gr

void bind_tracking_estimator(pybind11::module& m)
{
    using namespace gr::thzum;

    py::class_<tracking_estimator, tracking_estimator::sptr>(
        m,
        "tracking_estimator",
        "Warm start of an estimator from frame to frame, for several streams (users)::\n\n"
        "    track = thzum.tracking_estimator(thzum.estimator(\"newtonized_omp\", op), streams=4)\n"
        "    for y in frames:\n"
        "        h_hat, report = track.estimate(y, noise_var)\n\n"
        "newtonized_omp starts from its last paths, fpn_oamp and oamp from their last fixed point; "
        "others\n"
        "run as they are. A channel that has jumped starts over within the frame. The estimator "
        "must not\n"
        "be used elsewhere meanwhile; streams is 1 to 65536. Raises ValueError.")
        .def(py::init(&tracking_estimator::make), py::arg("estimator"), py::arg("streams") = 1)
        .def("estimate",
             &estimate,
             py::arg("y"),
             py::arg("noise_var") = py::none(),
             py::arg("stream") = py::none(),
             "Estimate the next frames; y, noise_var and results as of estimator.estimate().\n\n"
             "stream: of each item, an integer or int [B] from 0; None is 0, 1, 2, ... A stream "
             "that\n"
             "occurs several times follows itself in order. The report's steps are denoiser calls, "
             "or moves\n"
             "of one path for newtonized_omp, and steps_saved how many fewer than at the stream's "
             "last cold\n"
             "start.")
        .def("reset", &reset, py::arg("stream") = py::none(), "Forget a stream, or all of them.")
        .def_property_readonly("estimator", &tracking_estimator::inner, "The estimator it runs.")
        .def_property_readonly("streams", &tracking_estimator::streams, "Number of streams.");
}
