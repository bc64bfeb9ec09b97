/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/***********************************************************************************/
/* BINDTOOL_GEN_AUTOMATIC(0)                                                       */
/* BINDTOOL_USE_PYGCCXML(0)                                                        */
/* BINDTOOL_HEADER_FILE(oamp_linear_estimator.h)                                   */
/* BINDTOOL_HEADER_FILE_HASH(f2833b268b9a21142d760de45fc1c2fe) */
/***********************************************************************************/

#include <gnuradio/thzum/oamp_linear_estimator.h>
#include <pybind11/pybind11.h>

namespace py = pybind11;

void bind_oamp_linear_estimator(py::module& m)
{
    using gr::thzum::oamp_linear_estimator;
    py::class_<oamp_linear_estimator,
               gr::sync_block,
               gr::block,
               gr::basic_block,
               std::shared_ptr<oamp_linear_estimator>>(
        m,
        "oamp_linear_estimator",
        "Block: linear module of one OAMP iteration, for iterations drawn as a chain.\n"
        "\n"
        "In: y (complex64 vectors of op.n_observations) and, but for the first stage, the estimate "
        "x of\n"
        "the stage before (vectors of op.n_antennas). Out: r (vectors of op.n_antennas) and float "
        "variance\n"
        "per coefficient. The scale found travels with r as the tag thzum_amplitude.\n"
        "\n"
        "Args:\n"
        "    op: pilot_operator; the block works on a copy of its own.\n"
        "    linear: lmmse, matched or pinv.\n"
        "    dictionary: the denoiser's: visible_region, dft or identity.\n"
        "    spacing: element spacing in wavelengths.\n"
        "    noise_var: antenna noise variance; 0 = from the tag thzum_noise_var or the pilots.")
        .def(py::init(&oamp_linear_estimator::make),
             py::arg("op"),
             py::arg("linear") = "lmmse",
             py::arg("dictionary") = "visible_region",
             py::arg("spacing") = 0.2,
             py::arg("noise_var") = 0.0)
        .def("set_noise_var",
             &oamp_linear_estimator::set_noise_var,
             py::arg("noise_var"),
             "Antenna noise variance; 0 = from the tag or the pilots.")
        .def("noise_var", &oamp_linear_estimator::noise_var, "Noise variance given.")
        .def("processed", &oamp_linear_estimator::processed, "Items processed so far.")
        .def("skipped", &oamp_linear_estimator::skipped, "Items skipped so far.");
}
