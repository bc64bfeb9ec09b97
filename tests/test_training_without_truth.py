# SPDX-License-Identifier: GPL-3.0-or-later
"""Training from received pilots alone: the risk they tell is the error, and no truth is ever touched."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from gnuradio import thzum
from gnuradio.thzum.training import without_truth
from gnuradio.thzum.training.__main__ import main
from gnuradio.thzum.training.domain import ImageDomain
from gnuradio.thzum.training.linear_step import LinearStep, differentiable_iterate, iterate, random_combiner
from gnuradio.thzum.training.networks import SubarrayDenoiser, load_denoiser

PRESET = "thz300_aosa4x256"


def record(groups, channels, ratio, seed, snr_db=10.0, gain=1.0):
    """Pilots of the preset's channels, and these: complex64 [G, K, S, n]."""
    rng = np.random.default_rng(seed)
    n_slots = round(256 * ratio)
    combiner = np.stack([random_combiner(4, n_slots, 256, rng)[0] for _ in range(groups)])
    h = thzum.channel.preset(PRESET).sample(groups * channels, rng).reshape(groups, channels, 4, 256)
    noise_var = np.full((groups, channels), 10 ** (-snr_db / 10), np.float32)
    y = np.einsum("gsqn,gksn->gksq", combiner, h)
    y = y + np.sqrt(noise_var[0, 0] / 2) * (rng.standard_normal((*y.shape, 2)) @ [1, 1j])
    pilots = without_truth.Pilots((gain * y).astype(np.complex64), combiner.astype(np.float32), gain**2 * noise_var)
    return pilots, h


@pytest.fixture(scope="module")
def shipped():
    return load_denoiser(thzum.onnx_model.shipped("fpn_oamp")).eval()


def test_loaded_network_is_the_shipped_one(shipped):
    generator = torch.Generator().manual_seed(3)
    image, noise_std = torch.randn(2, 4, 2, 12, 12, generator=generator), torch.tensor([0.2, 0.7])
    session = onnxruntime.InferenceSession(thzum.onnx_model.shipped("fpn_oamp"))
    expected = session.run(None, {"image": image.numpy(), "noise_std": noise_std.numpy()})[0]
    with torch.no_grad():
        np.testing.assert_allclose(shipped(image, noise_std).numpy(), expected, atol=2e-4)


@pytest.mark.parametrize("ratio", [1.0, 0.5, 0.3])
def test_risk_of_the_pilots_is_the_error_they_see(shipped, ratio):
    # Risk less error is a mean of `count` differences; 4 standard errors, which is a third of the error.
    count = 48
    pilots, h = record(1, count, ratio, seed=5)
    task = without_truth.WithoutTruth(pilots)
    step, z, noise_var = task.observations(0, np.arange(count))
    scale = np.sqrt(pilots.noise_var[0] / noise_var.numpy())

    def estimate(observed, variances):
        return iterate(task.domain, shipped, step, observed, variances, 4)

    with torch.no_grad():
        risk = without_truth.pilot_risk(estimate, step, z, noise_var, np.random.default_rng(0)).numpy()
        found = estimate(z, noise_var)
    truth = task.domain.coefficients(h[0].reshape(count, -1) / scale[:, None], 4)
    error = step.predict(found - truth).abs().square().flatten(1).sum(1) / noise_var / z[0].numel()
    difference = risk - error.numpy()
    assert abs(difference.mean()) < 4 * difference.std() / np.sqrt(count)
    assert 4 * difference.std() / np.sqrt(count) < 0.05 < float(error.mean())


def test_gradient_of_the_risk_points_where_that_of_the_error_does():
    # One linear-ish network and many channels, so that noise of the probe averages out.
    torch.manual_seed(0)
    network = SubarrayDenoiser(width=8, blocks=1)
    pilots, h = record(1, 160, 0.5, seed=6)
    task = without_truth.WithoutTruth(pilots)
    step, z, noise_var = task.observations(0, np.arange(160))
    scale = np.sqrt(pilots.noise_var[0] / noise_var.numpy())
    truth = task.domain.coefficients(h[0].reshape(160, -1) / scale[:, None], 4)

    def estimate(observed, variances):
        return differentiable_iterate(task.domain, network, step, observed, variances, 1)

    def gradient(value):
        network.zero_grad()
        value.backward()
        return torch.cat([p.grad.flatten() for p in network.parameters()])

    blind = gradient(without_truth.pilot_risk(estimate, step, z, noise_var, np.random.default_rng(1)).mean())
    error = step.predict(estimate(z, noise_var) - truth).abs().square().flatten(1).sum(1)
    seen = gradient((error / noise_var).mean() / z[0].numel())
    assert float(blind @ seen / blind.norm() / seen.norm()) > 0.9


def test_nothing_but_pilots_is_read(tmp_path):
    """A file that holds truth beside the pilots teaches the same as one whose truth is not a number."""
    pilots, h = record(2, 10, 0.5, seed=7)
    models = []
    for k, truth in enumerate((h, np.full_like(h, np.nan))):
        path = tmp_path / f"{k}.npz"
        np.savez(path, y=pilots.y, combiner=pilots.combiner, noise_var=pilots.noise_var, h=truth)
        output = tmp_path / f"{k}.onnx"
        main(["fpn_oamp", "--without-truth", str(path), "--adapt-steps", "3", "--batch", "2",
              "--folder", str(tmp_path / f"run{k}"), "--output", str(output)])
        models.append(load_denoiser(str(output)).state_dict())
    start = load_denoiser(thzum.onnx_model.shipped("fpn_oamp")).state_dict()
    for name, weights in models[0].items():
        torch.testing.assert_close(weights, models[1][name], rtol=0, atol=0)
    assert any(not torch.equal(weights, start[name]) for name, weights in models[0].items())
    card = {entry.key: entry.value for entry in onnx.load(str(output)).metadata_props}
    assert "no truth" in card["thzum.training_data"] and "--without-truth" in card["thzum.training_command"]
    op = thzum.pilot_operator.hadamard(4, 16, 16, 128, seed=1)
    assert np.isfinite(thzum.estimator("fpn_oamp", op, model=str(output)).estimate(op.measure(h[0].reshape(10, -1)), 0.1)[0]).all()


def test_a_few_steps_on_pilots_lower_the_error_of_an_untrained_network(tmp_path):
    torch.manual_seed(2)
    network = SubarrayDenoiser(width=16, blocks=1)
    pilots, _ = record(3, 72, 0.5, seed=8)
    task = without_truth.WithoutTruth(pilots, batch=32)
    task.domain = ImageDomain(precision="fp32")
    with torch.no_grad():
        before = task.validate(network.eval())["risk"]
    tuned = without_truth.fine_tune(network, task, str(tmp_path), 25, learning_rate=3e-3)
    with torch.no_grad():
        after = task.validate(tuned)["risk"]
    assert after < 0.8 * before


def test_gain_and_unknown_power_do_not_matter():
    quiet, _ = record(1, 8, 0.5, seed=9)
    loud, _ = record(1, 8, 0.5, seed=9, gain=300.0)
    one, other = (without_truth.WithoutTruth(p).observations(0, np.arange(8)) for p in (quiet, loud))
    torch.testing.assert_close(one[1], other[1], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(one[2], other[2], rtol=1e-4, atol=0)
    assert isinstance(one[0], LinearStep)


def test_what_does_not_fit_is_refused(tmp_path):
    pilots, _ = record(2, 4, 0.5, seed=10)
    with pytest.raises(ValueError, match="combiner: expected .2, 4, 128"):
        without_truth.Pilots(pilots.y, pilots.combiner[:1], pilots.noise_var)
    with pytest.raises(ValueError, match="noise_var: expected .2, 4."):
        without_truth.Pilots(pilots.y, pilots.combiner, pilots.noise_var[0])
    with pytest.raises(ValueError, match="real entries"):
        without_truth.Pilots(pilots.y, 1j * pilots.combiner, pilots.noise_var)
    with pytest.raises(ValueError, match="finite"):
        without_truth.Pilots(pilots.y * np.nan, pilots.combiner, pilots.noise_var)
    np.savez(tmp_path / "p.npz", y=pilots.y)
    with pytest.raises(ValueError, match="no .'combiner', 'noise_var'."):
        without_truth.Pilots.load(tmp_path / "p.npz")
