/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/***********************************************************************************/
/* This file is written by hand; the build checks that the header did not change.  */
/* BINDTOOL_GEN_AUTOMATIC(0)                                                        */
/* BINDTOOL_USE_PYGCCXML(0)                                                         */
/* BINDTOOL_HEADER_FILE(onnx_model.h)                                               */
/* BINDTOOL_HEADER_FILE_HASH(7ce2d6e4d8f1b5b574a76780cbf5b9b1)                      */
/***********************************************************************************/

#include <gnuradio/thzum/onnx_model.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace py = pybind11;

namespace {

using gr::thzum::onnx_model;

/*! [(name, [sizes])] with None for dynamic sizes. */
py::list ports(const std::vector<onnx_model::port>& ports)
{
    py::list listed;
    for (const auto& port : ports) {
        py::list dims;
        for (const auto size : port.dims)
            dims.append(size < 0 ? py::object(py::none()) : py::object(py::int_(size)));
        listed.append(py::make_tuple(port.name, dims));
    }
    return listed;
}

onnx_model::sptr make(const py::object& path, const std::string& task, int threads)
{
    const auto file = py::str(py::module::import("os").attr("fspath")(path)).cast<std::string>();
    py::gil_scoped_release release;
    return onnx_model::make(file, task, threads);
}

} // namespace

void bind_onnx_model(py::module& m)
{
    py::class_<onnx_model, onnx_model::sptr>(m, "onnx_model", R"doc(
An ONNX model file with its model card, loaded into one ONNX Runtime session.

Args:
    path: the .onnx file.
    task: what the card must say the model is for, such as "subarray_denoiser".
    threads: intra-op threads.

Raises:
    RuntimeError: naming the file and what to do, when it is missing, damaged, has no model card, is for
        another task, or needs operators that this runtime does not know.
)doc")
        .def(py::init(&make), py::arg("path"), py::arg("task"), py::arg("threads") = 1)
        .def_property_readonly("path", &onnx_model::path, "The file.")
        .def_property_readonly(
            "card", &onnx_model::card, "The model card {key: text}, keys without \"thzum.\".")
        .def_property_readonly(
            "inputs",
            [](const onnx_model& model) { return ports(model.inputs()); },
            "[(name, sizes)]; None is a dynamic size.")
        .def_property_readonly(
            "outputs",
            [](const onnx_model& model) { return ports(model.outputs()); },
            "[(name, sizes)]; None is a dynamic size.")
        .def_static("runtime_version",
                    &onnx_model::runtime_version,
                    "Version of the ONNX Runtime library in use.")
        .def_static(
            "shipped",
            &onnx_model::shipped,
            py::arg("name"),
            "Path of a model shipped with the module, such as \"fpn_oamp\"; searched in the "
            "folder THZUM_MODELS names, then beside the installed library.")
        .def("__repr__", &onnx_model::repr);
}
