# SPDX-License-Identifier: GPL-3.0-or-later
"""The training program: a few steps, resume, export, and the pieces it is built from."""

import csv
import functools

import numpy as np
import onnx
import pytest
import torch

from gnuradio.thzum.training import export, fpn_oamp
from gnuradio.thzum.training import mixture as mixture_module
from gnuradio.thzum.training.domain import ImageDomain, complex_noise
from gnuradio.thzum.training.linear_step import LinearStep, random_combiner
from gnuradio.thzum.training.mixture import ChannelMixture
from gnuradio.thzum.training.networks import SubarrayDenoiser
from gnuradio.thzum.training.trainer import Schedule, Trainer


def network(seed=0, **settings):
    torch.manual_seed(seed)
    return SubarrayDenoiser(**{"width": 16, "blocks": 2, **settings}).eval()


def images(batch, subarrays, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, subarrays, 2, 12, 12, generator=generator), 0.1 + torch.rand(batch, generator=generator)


def test_domain_inverts_itself():
    domain = ImageDomain()
    coefficients = complex_noise((3, 4, 10, 10), np.random.default_rng(0))
    assert torch.allclose(domain.from_image(domain.image(coefficients)), coefficients, atol=2e-5)


def test_network_is_permutation_equivariant_in_the_subarrays():
    z, noise_std = images(3, 4)
    order = [2, 0, 3, 1]
    net = network()
    with torch.no_grad():
        torch.testing.assert_close(net(z[:, order], noise_std), net(z, noise_std)[:, order], atol=1e-5, rtol=1e-5)


def test_linear_step_of_exact_input_keeps_it():
    rng = np.random.default_rng(3)
    domain = ImageDomain()
    truth = complex_noise((2, 4, 10, 10), rng)
    step = LinearStep(domain, *random_combiner(4, 128, 256, rng))
    basis = torch.from_numpy(domain.region.basis).to(torch.complex64)
    h = (basis @ truth @ basis.T).reshape(2, 4, 256)
    noise_var = torch.full((2,), 1e-10)
    extrinsic, _ = step(truth, step.observe(h, noise_var, rng), noise_var)
    assert torch.allclose(extrinsic, truth, atol=1e-3)


def test_linear_step_predicts_its_error():
    # 2 x 300 items of 400 coefficients: the mean squared error is known to a few percent.
    rng = np.random.default_rng(4)
    domain = ImageDomain()
    truth = complex_noise((300, 4, 10, 10), rng) * np.sqrt(2.56)
    for _ in range(3):
        step = LinearStep(domain, *random_combiner(4, 128, 256, rng))
        basis = torch.from_numpy(domain.region.basis).to(torch.complex64)
        h = (basis @ truth @ basis.T).reshape(300, 4, 256)
        noise_var = torch.full((300,), 0.1)
        extrinsic, variance = step(torch.zeros_like(truth), step.observe(h, noise_var, rng), noise_var, first=True)
        measured = (extrinsic - truth).abs().square().mean()
        assert float(measured / variance.mean()) == pytest.approx(1.0, abs=0.05)


def test_interrupted_training_equals_an_unbroken_one(tmp_path):
    task = fpn_oamp.PlugAndPlay(batch=2, validation_batch=4)

    def trainer(folder):
        torch.manual_seed(0)
        net = SubarrayDenoiser(width=16, blocks=1)
        return Trainer(net, task.loss, task.validate, Schedule(6, 1e-3, validate_every=3), 5, folder, "stage")

    unbroken = trainer(tmp_path / "a").run()
    interrupted = trainer(tmp_path / "b")
    while interrupted.step < 3:
        interrupted._advance()
    interrupted.save()
    resumed = trainer(tmp_path / "b")
    resumed.resume()
    assert resumed.step == 3
    for a, b in zip(resumed.run().parameters(), unbroken.parameters()):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_a_few_steps_of_all_stages_make_a_model_with_a_full_card(tmp_path, monkeypatch):
    for name in ("PlugAndPlay", "EndToEnd"):
        monkeypatch.setattr(fpn_oamp, name, functools.partial(getattr(fpn_oamp, name), validation_batch=4))
    path = fpn_oamp.train(str(tmp_path / "run"), str(tmp_path / "m.onnx"), steps=(4, 3, 2), batch=2, validate_every=2)
    card = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    for key in ("format", "task", "domain", "input_layout", "normalisation", "noise_db_min", "nmse_curve_db",
                "training_command", "training_seed", "training_data", "measured"):
        assert card[f"thzum.{key}"]
    for stage, steps in (("end_to_end", [2, 3]), ("mixture", [2])):
        with open(tmp_path / "run" / f"{stage}.csv") as handle:
            rows = list(csv.DictReader(handle))
        assert [int(row["step"]) for row in rows] == steps
        assert all(np.isfinite(float(value)) for row in rows for value in row.values())


def test_mixture_holds_every_kind_and_damage_at_unit_power():
    mixture = ChannelMixture(fpn_oamp.PRESET)
    h = mixture.sample(400, np.random.default_rng(0))
    np.testing.assert_allclose(np.linalg.norm(h, axis=1) ** 2, h.shape[1], rtol=1e-4)
    np.testing.assert_array_equal(h, mixture.sample(400, np.random.default_rng(0)))
    # Blocked elements are exactly zero in about BLOCKED_SHARE of the channels, half of one subarray each.
    silent = (h == 0).sum(1)
    blocked = silent > 0
    deviation = np.sqrt(mixture_module.BLOCKED_SHARE * (1 - mixture_module.BLOCKED_SHARE) / len(h))
    assert abs(blocked.mean() - mixture_module.BLOCKED_SHARE) < 4 * deviation
    assert np.all((silent[blocked] > 112) & (silent[blocked] < 144))


def test_training_lowers_the_loss(tmp_path):
    task = fpn_oamp.PlugAndPlay(batch=8, validation_batch=16)
    torch.manual_seed(0)
    net = SubarrayDenoiser(width=16, blocks=1)
    with torch.no_grad():
        before = task.validate(net.eval())
    net.train()
    trained = Trainer(
        net, task.loss, task.validate, Schedule(40, 2e-3, warmup=5, validate_every=40), 1, tmp_path, "stage"
    ).run()
    with torch.no_grad():
        after = task.validate(trained)
    assert all(after[level] < before[level] - 0.5 for level in before)


def test_export_refuses_a_network_it_does_not_reproduce(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "parity", lambda *_: 1e-3)
    domain = ImageDomain()
    with pytest.raises(RuntimeError, match="differs from PyTorch"):
        export.export_denoiser(
            network(), domain.region, str(tmp_path / "m.onnx"), (-24, 6), ([-24, 6], [-30, -3]), dict(measured="none")
        )
    assert list(tmp_path.iterdir()) == []
