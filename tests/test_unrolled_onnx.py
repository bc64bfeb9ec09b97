# SPDX-License-Identifier: GPL-3.0-or-later
"""A network in a chain of blocks gives the numbers of fpn_oamp; models as flowgraphs hold them."""

import numpy as np
import pytest
from gnuradio import blocks, gr, thzum
from gnuradio.thzum.model import Model

import tiny_models

S, SIDE, SLOTS = 4, 16, 128
N = S * SIDE * SIDE
NOISE_VAR = 0.1


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return Model(tiny_models.save(tmp_path_factory.mktemp("models") / "shrinkage.onnx"))


@pytest.fixture(scope="module")
def operator():
    return thzum.pilot_operator.hadamard(n_subarrays=S, rows=SIDE, cols=SIDE, n_slots=SLOTS, seed=1)


@pytest.fixture(scope="module")
def pilots(operator):
    h = thzum.channel.preset("thz300_aosa4x256").sample(3, 5)
    noise = np.random.default_rng(6).standard_normal((3, S * SLOTS, 2)) @ [1, 1j] * np.sqrt(NOISE_VAR / 2)
    return (operator.measure(h) + noise).astype(np.complex64)


def test_chain_of_the_shipped_network_equals_fpn_oamp(operator, shipped_model, pilots):
    options = dict(model=shipped_model, max_iterations=3, tolerance=0.0)
    expected = thzum.estimator("fpn_oamp", operator, **options).estimate(pilots, NOISE_VAR)[0]
    out = run_chain(operator, shipped_model, pilots, 3)
    assert np.linalg.norm(out - expected) < 1e-4 * np.linalg.norm(expected)


def run_chain(operator, model, y, stages):
    top = gr.top_block()
    source = blocks.vector_source_c(y.ravel(), False, y.shape[1])
    estimate = None
    for _ in range(stages):
        linear = thzum.oamp_linear_estimator(operator, noise_var=NOISE_VAR)
        network = thzum.onnx_denoiser(S, SIDE, SIDE, "onnx", {"model": model})
        top.connect(source, (linear, 0))
        if estimate:
            top.connect(estimate, (linear, 1))
        top.connect((linear, 0), (network, 0))
        top.connect((linear, 1), (network, 1))
        estimate = network
    sink = blocks.vector_sink_c(N)
    top.connect(estimate, sink)
    top.run()
    return np.array(sink.data(), np.complex64).reshape(-1, N)


@pytest.mark.parametrize("stages", [1, 2, 5])
def test_chain_equals_fpn_oamp(operator, model, pilots, stages):
    options = dict(model=model.path, max_iterations=stages, tolerance=0.0)
    expected = thzum.estimator("fpn_oamp", operator, **options).estimate(pilots, NOISE_VAR)[0]
    out = run_chain(operator, model, pilots, stages)
    assert np.linalg.norm(out - expected) < 1e-4 * np.linalg.norm(expected)


def test_block_runs_the_network(operator, model, pilots):
    options = {"model": model, "max_iterations": 4}
    top, sink = gr.top_block(), blocks.vector_sink_c(N)
    block = thzum.channel_estimator(operator, "fpn_oamp", options, NOISE_VAR)
    top.connect(blocks.vector_source_c(pilots.ravel(), False, pilots.shape[1]), block, sink)
    top.run()
    estimator = thzum.estimator("fpn_oamp", operator, **options)
    expected = estimator.estimate(pilots, NOISE_VAR)[0]
    np.testing.assert_allclose(np.array(sink.data()).reshape(-1, N), expected, rtol=1e-4, atol=1e-5)


def test_model_shows_its_card(model):
    assert model.card["task"] == model.task == "subarray_denoiser"
    assert model.path in repr(model)


def test_shipped_name_is_looked_up(tmp_path, monkeypatch):
    tiny_models.save(tmp_path / "some_network.onnx")
    monkeypatch.setenv("THZUM_MODELS", str(tmp_path))
    assert Model("some_network").path == str(tmp_path / "some_network.onnx")


@pytest.mark.parametrize(
    "source,task,message",
    [
        ("absent_network", "subarray_denoiser", "absent_network"),
        ("/nowhere/x.onnx", "subarray_denoiser", "/nowhere/x.onnx"),
        (None, "detection", "detection"),
    ],
)
def test_unusable_models_are_refused(model, source, task, message):
    with pytest.raises(RuntimeError, match=message):
        Model(source or model.path, task)
