/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/***********************************************************************************/
/* BINDTOOL_GEN_AUTOMATIC(0)                                                       */
/* BINDTOOL_USE_PYGCCXML(0)                                                        */
/* BINDTOOL_HEADER_FILE(amp_linear_module.h)                                       */
/* BINDTOOL_HEADER_FILE_HASH(1eb882f565fd7288c40739de215f6c86) */
/***********************************************************************************/

#include <gnuradio/thzum/amp_linear_module.h>
#include <pybind11/pybind11.h>

namespace py = pybind11;

void bind_amp_linear_module(py::module& m)
{
    using gr::thzum::amp_linear_module;
    py::class_<amp_linear_module,
               gr::sync_block,
               gr::block,
               gr::basic_block,
               std::shared_ptr<amp_linear_module>>(
        m,
        "amp_linear_module",
        "Block: linear module of one AMP iteration with its Onsager term, for iterations drawn as "
        "a chain.\n"
        "\n"
        "In: y (complex64 vectors of op.n_observations) and, but for the first stage, x (vectors "
        "of\n"
        "op.n_antennas), e_before (vectors of op.n_observations) and float divergence. Out: r "
        "(vectors of\n"
        "op.n_antennas), float variance per coefficient, and e (vectors of op.n_observations).\n"
        "\n"
        "Args:\n"
        "    op: pilot_operator; the block works on a copy of its own.\n"
        "    dictionary: the denoiser's: dft, visible_region or identity.\n"
        "    spacing: element spacing in wavelengths.\n"
        "    noise_var: antenna noise variance; 0 = from the tag thzum_noise_var or the pilots.")
        .def(py::init(&amp_linear_module::make),
             py::arg("op"),
             py::arg("dictionary") = "dft",
             py::arg("spacing") = 0.2,
             py::arg("noise_var") = 0.0)
        .def("set_noise_var",
             &amp_linear_module::set_noise_var,
             py::arg("noise_var"),
             "Antenna noise variance; 0 = from the tag or the pilots.")
        .def("noise_var", &amp_linear_module::noise_var, "Noise variance given.")
        .def("processed", &amp_linear_module::processed, "Items processed so far.")
        .def("skipped", &amp_linear_module::skipped, "Items skipped so far.");
}
