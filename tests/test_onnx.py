# SPDX-License-Identifier: GPL-3.0-or-later
"""Loading of ONNX models: what the card says, and one clear error for each way a file can be wrong."""

import subprocess
import sys

import onnx
import pytest
import tiny_models
from onnx import TensorProto, helper

from gnuradio import thzum

TASK = "subarray_denoiser"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.onnx"


def refused(path, *parts, task=TASK):
    """The error that loading ``path`` raises: one line that names the file and holds ``parts``."""
    with pytest.raises(RuntimeError) as error:
        thzum.onnx_model(path, task)
    message = str(error.value)
    assert message.startswith(f"model {path}: ") and "\n" not in message
    for part in parts:
        assert part in message
    return message


def test_card_and_ports_are_read(path):
    model = thzum.onnx_model(tiny_models.save(path), TASK, threads=2)
    assert model.card == tiny_models.CARD
    assert model.inputs == [("image", [None, None, 2, 12, 12]), ("noise_std", [None])]
    assert model.outputs == [("denoised", [None, None, 2, 12, 12])]
    assert model.path == str(path)
    for part in (str(path), TASK, "image[any,any,2,12,12]", "threads=2", model.runtime_version()):
        assert part in repr(model)


def test_metadata_of_others_stays_out_of_the_card(path):
    model = tiny_models.shrinkage()
    tiny_models.save(path, model)
    model.metadata_props.add(key="author", value="someone")
    onnx.save(model, str(path))
    assert "author" not in thzum.onnx_model(path, TASK).card


def test_missing_file(path):
    refused(path, "no such file", "give the path")


def test_folder(tmp_path):
    refused(tmp_path, "not a file")


def test_empty_file(path):
    path.write_bytes(b"")
    refused(path, "empty")


@pytest.mark.parametrize("content", [b"a text with the wrong name\n" * 40, b"\0" * 400, b"PK\x03\x04" * 9])
def test_other_content(path, content):
    path.write_bytes(content)
    refused(path, "not an ONNX file, or damaged")


def test_every_truncation(path):
    whole = tiny_models.save(path, card=dict(format="1", task=TASK)).read_bytes()
    for length in range(1, len(whole), 7):
        path.write_bytes(whole[:length])
        refused(path)


def test_no_card(path):
    refused(tiny_models.save(path, card=None), "no model card", "thzum.format", "docs/onnx-contract.md")


def test_unknown_card_format(path):
    refused(tiny_models.save(path, format="2"), "format '2'", "format '1'")


def test_other_task(path):
    refused(tiny_models.save(path), "'amp_gnn'", "'subarray_denoiser'", task="amp_gnn")


def test_no_task(path):
    refused(tiny_models.save(path, task=None), "no thzum.task")


@pytest.mark.parametrize("domain", ["", "org.example"])
def test_unknown_operator(path, domain):
    model = tiny_models.shrinkage(operator="Frobnicate")
    model.graph.node[-1].domain = domain
    if domain:
        model.opset_import.append(helper.make_opsetid(domain, 1))
    refused(tiny_models.save(path, model), "operator", "Frobnicate", "export it")


@pytest.mark.parametrize("versions", [dict(opset=999), dict(ir_version=99)])
def test_model_of_a_newer_onnx(path, versions):
    refused(tiny_models.save(path, tiny_models.shrinkage(**versions)), "newer ONNX version", "older opset")


def test_inputs_must_be_float32(path):
    number = helper.make_tensor_value_info("number", TensorProto.INT64, ["batch"])
    result = helper.make_tensor_value_info("result", TensorProto.INT64, ["batch"])
    graph = helper.make_graph([helper.make_node("Identity", ["number"], ["result"])], "g", [number], [result])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    refused(tiny_models.save(path, model), "'number'", "float32")


def test_thread_count_is_checked(path):
    with pytest.raises(ValueError, match="threads"):
        thzum.onnx_model(tiny_models.save(path), TASK, threads=0)


def test_nothing_is_printed(path):
    tiny_models.save(path, tiny_models.shrinkage(operator="Frobnicate"))
    program = (
        "from gnuradio import thzum\n"
        f"try: thzum.onnx_model({str(path)!r}, {TASK!r})\n"
        "except RuntimeError: print('refused')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    # Debian 13's ONNX Runtime says when it is loaded that its operators are registered twice.
    printed = [line for line in done.stderr.splitlines() if line and not line.startswith("Schema error: Trying to reg")]
    assert (done.returncode, done.stdout, printed) == (0, "refused\n", [])


def test_shipped_models_are_found_by_name(tmp_path, monkeypatch):
    monkeypatch.setenv("THZUM_MODELS", str(tmp_path))
    tiny_models.save(tmp_path / "tiny.onnx")
    assert thzum.onnx_model.shipped("tiny") == str(tmp_path / "tiny.onnx")
    with pytest.raises(RuntimeError, match="'none-such'.*searched.*THZUM_MODELS") as error:
        thzum.onnx_model.shipped("none-such")
    assert str(tmp_path) in str(error.value)
