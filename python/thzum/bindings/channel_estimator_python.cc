/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/***********************************************************************************/
/* BINDTOOL_GEN_AUTOMATIC(0)                                                       */
/* BINDTOOL_USE_PYGCCXML(0)                                                        */
/* BINDTOOL_HEADER_FILE(channel_estimator.h)                                       */
/* BINDTOOL_HEADER_FILE_HASH(08e457876826e3c98a6cd7a17a01a6b6) */
/***********************************************************************************/

#include "options.h"
#include "arrays.h"
#include <gnuradio/thzum/channel_estimator.h>
#include <pybind11/pybind11.h>

namespace py = pybind11;

namespace {

using gr::thzum::channel_estimator;
using gr::thzum::bindings::to_options;

channel_estimator::sptr make(gr::thzum::pilot_operator::sptr op,
                             const std::string& algorithm,
                             const py::dict& options,
                             double noise_var,
                             int batch,
                             const py::dict& array_options,
                             int tracked_users)
{
    const auto map = to_options(options), of_array = to_options(array_options);
    py::gil_scoped_release release;
    return channel_estimator::make(std::move(op), algorithm, map, noise_var, batch, of_array, tracked_users);
}

} // namespace

void bind_channel_estimator(py::module& m)
{
    using release_gil = py::call_guard<py::gil_scoped_release>;
    py::class_<channel_estimator,
               gr::sync_block,
               gr::block,
               gr::basic_block,
               std::shared_ptr<channel_estimator>>(
        m,
        "channel_estimator",
        "Block: pilots y (complex64 vectors of op.n_observations) in, channel estimates "
        "(complex64\n"
        "vectors of op.n_antennas) out.\n\n"
        "Args:\n"
        "    op: pilot_operator; the block works on a copy of its own.\n"
        "    algorithm: one of estimators().\n"
        "    options: dict of the algorithm's options, see estimator_options(name).\n"
        "    noise_var: antenna noise variance; 0 takes the tag thzum_noise_var, or, on items "
        "without\n"
        "        it, estimates it from the pilots.\n"
        "    batch: largest number of items of one call, 1 to 4096.\n"
        "    array_options: dict of spacing and subarray_centres, as PilotPlan.array_options; each "
        "algorithm\n"
        "        gets those that it takes and that its own options do not give.\n"
        "    tracked_users: users 0, 1, ... (tag thzum_user) whose estimates start from their last ones;\n"
        "        0 to 4096.\n\n"
        "Items that cannot be estimated become zeros with the tag thzum_skipped. Message ports: "
        "report\n"
        "(out, a dictionary per item), paths (out, a dictionary per estimate that resolves paths) and "
        "control (in: algorithm, options, noise_var, mask).")
        .def(py::init(&make),
             py::arg("op"),
             py::arg("algorithm") = "fpn_oamp",
             py::arg("options") = py::dict(),
             py::arg("noise_var") = 0.0,
             py::arg("batch") = 8,
             py::arg("array_options") = py::dict(),
             py::arg("tracked_users") = 0)
        .def("set_algorithm",
             &gr::thzum::bindings::set_algorithm<channel_estimator>,
             py::arg("name"),
             py::arg("options") = py::dict(),
             "Change the algorithm while running; ValueError leaves the old one in place.")
        .def("set_noise_var",
             &channel_estimator::set_noise_var,
             py::arg("noise_var"),
             "Antenna noise variance; 0 = from the tag or the pilots.")
        .def(
            "set_mask",
            [](channel_estimator& self, const py::object& mask) {
                std::vector<uint8_t> heard;
                if (!mask.is_none()) {
                    const auto given = gr::thzum::converted<float>(gr::thzum::any_array(mask, "mask"), "mask");
                    for (py::ssize_t i = 0; i < given.size(); ++i)
                        heard.push_back(given.data()[i] != 0.0f);
                }
                py::gil_scoped_release release;
                self.set_mask(heard);
            },
            py::arg("mask"),
            "Use only pilots where `mask`, bool [S, Q], is True, as of pilot_operator.with_mask; None = "
            "all.\nValueError leaves everything in place.")
        .def(
            "mask",
            [](const channel_estimator& self) {
                std::vector<uint8_t> mask;
                {
                    py::gil_scoped_release release;
                    mask = self.mask();
                }
                py::array_t<bool> heard(mask.size());
                std::copy(mask.begin(), mask.end(), heard.mutable_data());
                return heard;
            },
            "Which pilots are used, bool [S*Q].")
        .def("algorithm",
             &channel_estimator::algorithm,
             release_gil(),
             "Name of the algorithm in use.")
        .def("settings",
             &channel_estimator::settings,
             release_gil(),
             "Settings of the algorithm in use, in one line.")
        .def("noise_var",
             &channel_estimator::noise_var,
             "Noise variance given; 0 = from the tag or the pilots.")
        .def("estimates", &channel_estimator::estimates, "Items estimated so far.")
        .def("skipped", &channel_estimator::skipped, "Items skipped so far.")
        .def("tracked_users",
             &channel_estimator::tracked_users,
             "Users whose channels are tracked.")
        .def("largest_batch",
             &channel_estimator::largest_batch,
             "Largest number of items that one call has had.");
}
