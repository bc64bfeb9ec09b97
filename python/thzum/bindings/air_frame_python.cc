/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/* BINDTOOL_GEN_AUTOMATIC(0)                                              */
/* BINDTOOL_USE_PYGCCXML(0)                                               */
/* BINDTOOL_HEADER_FILE(air_frame.h) */
/* BINDTOOL_HEADER_FILE_HASH(e310498f458f14882d968b4c621ff72a) */

#include "arrays.h"
#include <gnuradio/thzum/air_frame.h>
#include <pybind11/stl.h>
#include <sstream>

namespace py = pybind11;

namespace {

using gr::thzum::air_frame;
using gr::thzum::air_frame_parameters;

const char* section_name(air_frame::section kind)
{
    switch (kind) {
    case air_frame::section::preamble:
        return "preamble";
    case air_frame::section::noise:
        return "noise";
    case air_frame::section::reference:
        return "reference";
    case air_frame::section::slot:
        return "slot";
    default:
        return "data";
    }
}

std::shared_ptr<air_frame> make_frame(int n_noise,
                                      int n_slots,
                                      const py::object& sequences,
                                      int n_data,
                                      int samples_per_symbol,
                                      double rolloff,
                                      int span,
                                      int guard,
                                      int preamble_segments,
                                      int segment_parts,
                                      int part_length,
                                      int reference_interval,
                                      int reference_beams,
                                      int data_reference_interval)
{
    const auto chips = gr::thzum::single_array_in<gr_complex>(
        sequences, "sequences", { gr::thzum::any_size, gr::thzum::any_size });
    return std::make_shared<air_frame>(
        air_frame_parameters{ n_noise,
                              n_slots,
                              int(chips.shape(0)),
                              n_data,
                              { chips.data(), chips.data() + chips.size() },
                              samples_per_symbol,
                              rolloff,
                              span,
                              guard,
                              preamble_segments,
                              segment_parts,
                              part_length,
                              reference_interval,
                              reference_beams,
                              data_reference_interval });
}

py::list blocks(const air_frame& frame)
{
    py::list list;
    for (const auto& each : frame.blocks())
        list.append(py::make_tuple(
            section_name(each.kind), each.first, each.length, each.entry, each.index));
    return list;
}

py::tuple schedule(const air_frame& frame)
{
    std::vector<int> entries;
    std::vector<int64_t> lengths;
    frame.schedule(entries, lengths);
    return py::make_tuple(py::tuple(py::cast(entries)), py::tuple(py::cast(lengths)));
}

py::array_t<gr_complex> known_symbols(const air_frame& frame, int user)
{
    if (user < 0 || user >= frame.parameters().n_users)
        gr::thzum::refuse(
            "user", "0 to " + std::to_string(frame.parameters().n_users - 1), std::to_string(user));
    py::array_t<gr_complex> symbols(frame.n_symbols());
    frame.put_known_symbols(user, symbols.mutable_data());
    return symbols;
}

std::string describe(const air_frame& frame)
{
    const auto& p = frame.parameters();
    std::ostringstream text;
    text << "air_frame(" << frame.n_symbols() << " symbols of " << p.samples_per_symbol
         << " samples, rolloff=" << p.rolloff << ", span=" << p.span << ", guard=" << p.guard
         << ", preamble " << p.preamble_segments << "x" << p.segment_parts << "x" << p.part_length
         << ", " << frame.references().size() << " references)";
    return text.str();
}

} // namespace


void bind_air_frame(py::module& m)
{
    py::class_<air_frame, std::shared_ptr<air_frame>>(
        m,
        "air_frame",
        R"(The frame on the air: which symbol is what, when the combiner changes, what a user sends.

Blocks of symbols with guard silent ones between them: the segments of the preamble, silence for measuring
the noise, pilot slots with reference slots between them (whose combiner comes again), the data with rows of
pilot chips among them. See docs/frame.md.

Args:
    n_noise: silent symbols.
    n_slots: pilot slots Q.
    sequences: complex [K, P] pilot chips of the users, magnitude 1, P >= K.
    n_data: data symbols.
    samples_per_symbol: 2 to 16.
    rolloff: of the root-raised-cosine pulse, 0.05 to 1.
    span: length of the pulse in symbols, even, 2 to 32.
    guard: silent symbols around each change of the combiner; span - 1 keeps pulses apart.
    preamble_segments: parts of the preamble behind combiners of their own.
    segment_parts: repetitions within a segment, 2 to 13.
    part_length: chips of a repetition, at least 4.
    reference_interval: slots between reference slots, 0 for none.
    reference_beams: combiners that reference slots take in turn.
    data_reference_interval: data symbols between reference chips, 0 for none.

Raises:
    ValueError: naming the argument, what was expected and what came.)")
        .def(py::init(&make_frame),
             py::arg("n_noise"),
             py::arg("n_slots"),
             py::arg("sequences"),
             py::arg("n_data"),
             py::arg("samples_per_symbol") = 2,
             py::arg("rolloff") = 0.5,
             py::arg("span") = 4,
             py::arg("guard") = 4,
             py::arg("preamble_segments") = 8,
             py::arg("segment_parts") = 4,
             py::arg("part_length") = 16,
             py::arg("reference_interval") = 8,
             py::arg("reference_beams") = 2,
             py::arg("data_reference_interval") = 64)
        .def("__repr__", &describe)
        .def("blocks",
             &blocks,
             "List of (kind, first symbol, length in symbols, combiner entry, index within kind).")
        .def(
            "references",
            [](const air_frame& frame) {
                py::list list;
                for (const auto& each : frame.references())
                    list.append(py::make_tuple(each.first, each.group));
                return list;
            },
            "List of (first symbol, group) of the P chips of each reference.")
        .def("schedule",
             &schedule,
             "Combiner entries in force and the samples of each; entry Q is the data beams.")
        .def("known_symbols",
             &known_symbols,
             py::arg("user"),
             "What a user sends but the data, complex64 [n_symbols].")
        .def("data_symbol",
             &air_frame::data_symbol,
             py::arg("index"),
             "Symbol number of a data symbol.")
        .def_property_readonly("received_symbols",
                               &air_frame::received_symbols,
                               "Symbol numbers of what a pilot_receiver takes.")
        .def_property_readonly(
            "preamble", &air_frame::preamble, "Chips of the preamble, segment by segment.")
        .def_property_readonly("n_symbols", &air_frame::n_symbols, "Symbols of a frame.")
        .def_property_readonly("n_samples", &air_frame::n_samples, "Samples of a frame.")
        .def_property_readonly(
            "n_received", &air_frame::n_received, "Symbols that a pilot_receiver takes.")
        .def_property_readonly(
            "samples_per_symbol",
            [](const air_frame& frame) { return frame.parameters().samples_per_symbol; })
        .def_property_readonly("n_users",
                               [](const air_frame& frame) { return frame.parameters().n_users; })
        .def_property_readonly("n_data",
                               [](const air_frame& frame) { return frame.parameters().n_data; })
        .def_property_readonly("span",
                               [](const air_frame& frame) { return frame.parameters().span; })
        .def_property_readonly("rolloff",
                               [](const air_frame& frame) { return frame.parameters().rolloff; });
}
