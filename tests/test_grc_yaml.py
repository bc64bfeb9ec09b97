# SPDX-License-Identifier: GPL-3.0-or-later
"""Every GRC block: it parses, is documented, asserts its sizes, and makes the block it draws."""

import collections
import os
import pathlib
import re
import unittest.mock

import pmt
import pytest
import yaml
from gnuradio import gr, thzum
from gnuradio.grc.core.platform import Platform

import tiny_models

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "grc"
FILES = {path.name.removesuffix(".block.yml"): path for path in sorted(FOLDER.glob("*.block.yml"))}
BLOCKS = {name: yaml.safe_load(path.read_text()) for name, path in FILES.items()}

#: Drop-downs that list a registry: (block, parameter) -> names.
REGISTRIES = {
    ("thzum_channel_estimator", "algorithm"): lambda: thzum.estimators(),
    ("thzum_wideband_channel_estimator", "algorithm"): lambda: thzum.wideband_estimators(),
    ("thzum_onnx_denoiser", "denoiser"): lambda: thzum.denoisers(),
    ("thzum_oamp_linear_estimator", "dictionary"): lambda: thzum.dictionary.names(),
    ("thzum_amp_linear_module", "dictionary"): lambda: thzum.dictionary.names(),
    ("thzum_mimo_detector", "algorithm"): lambda: thzum.detectors(),
}

#: Words of a label that name a physical quantity, which needs a unit in parentheses.
PHYSICAL = re.compile(
    r"(?i)frequency|spacing|gap|variance|distance|length$|rate|gain|power|snr|time\b|velocity|speed|delay"
)

#: A plan of frames on the air.
AIR_PLAN = "thzum.frame.PilotPlan('thz300_aosa4x256', 128, n_data=1024, samples_per_symbol=2)"

#: Parameters that choices other than the default need.
PARAMETERS = {
    "thzum_frame_sync": {"plan": AIR_PLAN},
    "thzum_uplink_frame_source": {"plan": AIR_PLAN},
    "thzum_uplink_payload": {"plan": AIR_PLAN},
    "thzum_transmitter_sink": {"plan": AIR_PLAN, "address": "'driver=thzum,medium=test-grc-yaml'"},
    "thzum_hybrid_field_channel": {"channel": "thzum.channel.preset('thz300_aosa4x256')"},
    "thzum_pilot_receiver": {"sequences": "plan.user_sequences"},
    "thzum_uplink_channel": {
        "paths": "thzum.channel.draw_users(thzum.channel.preset('thz300_aosa4x256'), plan.n_users)",
    },
}


@pytest.fixture(scope="module", autouse=True)
def models(tmp_path_factory):
    """A folder with the shipped models, or a stand-in for those that are not there."""
    folder = tmp_path_factory.mktemp("models")
    try:
        thzum.onnx_model.shipped("fpn_oamp")
    except RuntimeError:
        tiny_models.save(folder / "fpn_oamp.onnx")
        before = os.environ.get("THZUM_MODELS")
        os.environ["THZUM_MODELS"] = str(folder)
        yield
        os.environ.pop("THZUM_MODELS") if before is None else os.environ.update(THZUM_MODELS=before)
    else:
        yield


@pytest.fixture(scope="module")
def platform(models):
    made = Platform(
        name="test",
        prefs=gr.prefs(),
        version=gr.version(),
        version_parts=(gr.major_version(), gr.api_version(), gr.minor_version()),
    )
    system = gr.prefs().get_string("grc", "global_blocks_path", "").split(os.pathsep)
    made.build_library([*filter(os.path.isdir, system), str(FOLDER)])
    return made


def draw(platform, name, parameters=None, shared=True):
    """A flowgraph with one block of the kind ``name`` at its defaults, and the ``shared`` variables if asked."""
    graph = platform.make_flow_graph()
    graph.options_block.params["id"].set_value("test_grc_yaml")
    imports = graph.new_block("import")
    imports.params["id"].set_value("import_0")
    imports.params["imports"].set_value("from gnuradio import thzum")
    for identifier in ("array", "pilot_plan", "model") if shared else ():
        graph.new_block(f"thzum_variable_{identifier}").params["id"].set_value(identifier.split("_")[-1])
    block = graph.new_block(name)
    assert block is not None, f"{name} did not load"
    block.params["id"].set_value("block")
    for parameter, value in (PARAMETERS.get(name, {}) if parameters is None else parameters).items():
        block.params[parameter].set_value(value)
    graph.rewrite()
    graph.rewrite()
    graph.validate()
    return graph, block


def errors(block):
    """Errors of a block and its parameters; unconnected ports are as they should be."""
    own = [*block._error_messages]
    for parameter in block.params.values():
        own += [f"{parameter.key}: {message}" for message in parameter._error_messages]
    return own


def make(graph, block):
    """The block, made as the generated program makes it."""
    namespace = dict(graph.namespace)
    exec(block.templates.render("imports"), namespace)
    namespace["self"] = unittest.mock.MagicMock()
    exec("self.block = " + block.templates.render("make").strip(), namespace)
    return namespace["self"].block


def streams(ports):
    return [p for p in ports if p.domain == "stream"]


def messages(ports):
    return sorted(p.key for p in ports if p.domain == "message")


def test_there_are_blocks():
    assert len(FILES) >= 5


@pytest.mark.parametrize("name", BLOCKS)
class TestText:
    def test_id_is_the_file_name(self, name):
        assert BLOCKS[name]["id"] == name
        assert BLOCKS[name]["file_format"] == 1

    def test_stands_under_the_module(self, name):
        assert BLOCKS[name]["category"].startswith("[THz UM-MIMO]")

    def test_is_documented(self, name):
        documentation = BLOCKS[name].get("documentation", "")
        assert len(documentation) > 200

    def test_has_a_worked_example(self, name):
        paragraphs = BLOCKS[name]["documentation"].split("\n\n")
        examples = [" ".join(p.split()) for p in paragraphs if p.startswith("Worked example:")]
        assert len(examples) == 1 and len(examples[0]) > 100

    def test_many_parameters_stand_in_tabs(self, name):
        tabs = collections.Counter(p.get("category", "General") for p in BLOCKS[name].get("parameters", []))
        assert len(tabs) > 1 or sum(tabs.values()) <= 6
        assert max(tabs.values(), default=0) <= 9

    def test_labels_are_written_alike(self, name):
        for entry in BLOCKS[name].get("parameters", []):
            label = entry["label"]
            assert label[0].isupper() and not label.endswith("."), label
            if entry["dtype"] == "enum":
                assert len(entry["option_labels"]) == len(entry["options"]), entry["id"]

    def test_every_parameter_is_documented(self, name):
        words = re.sub(r"\s+", " ", BLOCKS[name]["documentation"]).lower()
        for parameter in BLOCKS[name].get("parameters", []):
            if parameter.get("hide") != "all" and parameter["dtype"] != "gui_hint":
                label = re.sub(r" [(\[].*[)\]]$", "", parameter["label"]).lower()
                for part in re.sub(r"^(\w+) along .*$", r"\1 along", label).split(", "):
                    assert part in words, f"{parameter['id']}: '{part}' is not in the documentation"

    def test_sizes_have_asserts(self, name):
        asserts = " ".join(BLOCKS[name].get("asserts", []))
        for parameter in BLOCKS[name].get("parameters", []):
            if parameter["dtype"] in ("int", "real", "float") and "options" not in parameter:
                assert re.search(rf"\b{parameter['id']}\b", asserts), f"{parameter['id']}: no assert"

    def test_physical_labels_have_units(self, name):
        for parameter in BLOCKS[name].get("parameters", []):
            if parameter["dtype"] in ("real", "float", "int") and PHYSICAL.search(parameter["label"]):
                if parameter["id"] == "vlen":
                    continue
                assert re.search(r"\(.+\)", parameter["label"]), f"{parameter['id']}: no unit in the label"

    def test_callbacks_have_no_keywords(self, name):
        # GRC puts "self." before every word that is also a variable of the flowgraph, keywords included.
        for callback in BLOCKS[name].get("templates", {}).get("callbacks", []):
            assert not re.search(r"\w\s*=\s*\$", callback), callback

    def test_lines_fit(self, name):
        for line in BLOCKS[name]["documentation"].splitlines():
            assert len(line) <= 110


@pytest.mark.parametrize("name", [n for n in BLOCKS if n.startswith("thzum_variable_")])
def test_variables_evaluate(platform, name):
    graph, block = draw(platform, name)
    assert errors(block) == []
    namespace = dict(graph.namespace)
    exec(block.templates.render("imports"), namespace)
    namespace["self"] = type("Self", (), {})()
    exec(block.get_var_make(), namespace)
    assert repr(namespace["self"].block) == repr(namespace["block"])
    assert type(namespace["block"]) is type(graph.namespace["block"])


@pytest.mark.parametrize("name", [n for n in BLOCKS if not n.startswith("thzum_variable_")])
def test_draws_what_it_makes(platform, qt_application, name):
    graph, block = draw(platform, name, {k: v for k, v in PARAMETERS.get(name, {}).items() if k == "plan"})
    assert errors(block) == []
    made = make(graph, block)
    assert messages(block.active_sinks) == sorted(set(map(str, port_names(made, "in"))) - {"system"})
    assert messages(block.active_sources) == sorted(set(map(str, port_names(made, "out"))) - {"system"})
    for ports, signature in (
        (streams(block.active_sinks), made.input_signature()),
        (streams(block.active_sources), made.output_signature()),
    ):
        assert signature.min_streams() <= len(ports)
        assert len(ports) <= signature.max_streams() or signature.max_streams() == -1
        required = [p for p in ports if not p.optional]
        assert len(required) >= signature.min_streams()
        for index, port in enumerate(ports):
            assert port.item_size == signature.sizeof_stream_item(index), f"size of port {port.name}"


@pytest.mark.parametrize("name", [n for n in BLOCKS if "callbacks" in BLOCKS[n].get("templates", {})])
def test_callbacks_run(platform, qt_application, name):
    graph, block = draw(platform, name)
    if name.startswith("thzum_variable_"):
        return
    namespace = dict(graph.namespace)
    exec(block.templates.render("imports"), namespace)
    namespace["self"] = type("Self", (), {"block": make(graph, block)})()
    for callback in block.get_callbacks():
        exec(callback, namespace)


@pytest.mark.parametrize("name,parameter", REGISTRIES)
def test_drop_downs_are_the_registries(name, parameter):
    if name not in BLOCKS:
        pytest.skip(f"{name} is not part of this build")
    entry = next(p for p in BLOCKS[name]["parameters"] if p["id"] == parameter)
    assert sorted(entry["options"]) == sorted(REGISTRIES[name, parameter]())


@pytest.mark.parametrize(
    "name,parameter",
    [(n, p["id"]) for n in BLOCKS for p in BLOCKS[n].get("parameters", []) if p["dtype"] == "enum"],
)
def test_every_choice_is_drawn_without_error(platform, name, parameter):
    graph, block = draw(platform, name)
    for option in block.params[parameter].options:
        block.params[parameter].set_value(option)
        if name == "thzum_hybrid_field_channel":
            array = "thz300_aosa4x256" if option == "custom" else option
            block.params["plan"].set_value(f"thzum.frame.PilotPlan('{array}', 32)")
        graph.rewrite()
        graph.validate()
        assert errors(block) == [], option


def port_names(block, direction):
    ports = block.message_ports_in() if direction == "in" else block.message_ports_out()
    return [pmt.symbol_to_string(pmt.vector_ref(ports, i)) for i in range(pmt.length(ports))]


def test_a_wrong_size_is_refused_when_drawn(platform):
    graph, block = draw(platform, "thzum_variable_pilot_plan")
    block.params["n_slots"].set_value("0")
    graph.rewrite()
    graph.validate()
    assert any("n_slots" in message for message in errors(block))


def test_a_missing_model_is_refused_when_drawn(platform):
    graph, block = draw(platform, "thzum_variable_model")
    block.params["source"].set_value("/nowhere/there_is.onnx")
    graph.rewrite()
    graph.validate()
    assert any("/nowhere/there_is.onnx" in message for message in errors(block))


#: Blocks that need more of the shared plan than its defaults: what the error then says.
NEEDS_OF_THE_PLAN = {
    "thzum_frame_sync": "plan.samples_per_symbol >= 2",
    "thzum_uplink_frame_source": "plan.samples_per_symbol >= 2",
    "thzum_uplink_payload": "plan.n_data",
}


@pytest.mark.parametrize("name", BLOCKS)
def test_defaults_are_valid_beside_the_shared_variables_or_say_what_they_need(platform, name):
    graph, block = draw(platform, name, parameters={})
    need = NEEDS_OF_THE_PLAN.get(name)
    assert all(need in message for message in errors(block)) if need else errors(block) == []
    if any(p.get("default") in ("plan", "array") for p in BLOCKS[name].get("parameters", [])):
        graph, block = draw(platform, name, parameters={}, shared=False)
        assert any("plan" in message or "array" in message for message in errors(block))


#: What a size is set to in order to be wrong; numbers are made one larger.
OTHER_PLAN = "thzum.frame.PilotPlan('thz140_aosa32x64', 32, n_users=3, n_data=1024, samples_per_symbol=2)"
WRONG = {"plan": OTHER_PLAN, "array": "thzum.array.array_preset('thz140_aosa32x64')", "constellation": "256qam"}
#: Sizes that the ports of a block follow from, by names in its expressions of vector lengths and multiplicities.
SIZES = [
    (name, parameter["id"])
    for name, block in BLOCKS.items()
    for parameter in block.get("parameters", [])
    if any(
        re.search(rf"\b{parameter['id']}\b", str(port.get(key, "")))
        for port in block.get("inputs", []) + block.get("outputs", [])
        for key in ("vlen", "multiplicity")
    )
]
TYPES = {"complex": "complex", "float": "float", "int": "int", "byte": "byte"}


def connect_all(graph, block):
    """Null sources and sinks of the right size at every stream port of ``block``."""
    for ports, kind, inward in ((block.active_sinks, "source", True), (block.active_sources, "sink", False)):
        for number, port in enumerate(streams(ports)):
            other = graph.new_block(f"blocks_null_{kind}")
            other.params["id"].set_value(f"{kind}_{number}")
            other.params["type"].set_value(TYPES[port.dtype])
            other.params["vlen"].set_value(str(port.vlen))
            graph.rewrite()
            end = other.sources[0] if inward else other.sinks[0]
            graph.connect(end, port) if inward else graph.connect(port, end)
    graph.rewrite()
    graph.validate()


@pytest.mark.parametrize("name,parameter", SIZES)
def test_a_wrong_vector_length_is_red_before_it_runs(platform, name, parameter):
    graph, block = draw(platform, name)
    connect_all(graph, block)
    assert graph.is_valid(), [(str(e[0]), e[1]) for e in graph.iter_error_messages()]
    value = block.params[parameter].get_value()
    if parameter == "labels":
        wrong = "['one', 'too', 'many']"
    else:
        wrong = WRONG.get(parameter, f"({value}) + 1")
    block.params[parameter].set_value(wrong)
    graph.rewrite()
    graph.validate()
    assert not graph.is_valid()


@pytest.mark.parametrize(
    "name,parameter",
    [
        (n, p["id"])
        for n in BLOCKS
        for p in BLOCKS[n].get("parameters", [])
        if p["dtype"] == "string" and "options" in p
    ],
)
def test_names_typed_into_a_drop_down_are_checked(platform, name, parameter):
    graph, block = draw(platform, name)
    for option in block.params[parameter].options:
        block.params[parameter].set_value(option)
        if (parameter, option) == ("algorithm", "zf"):
            block.params["n_tx"].set_value("4")
        graph.rewrite()
        graph.validate()
        assert errors(block) == [], option
    block.params[parameter].set_value("nonsense")
    graph.rewrite()
    graph.validate()
    assert errors(block) != []
