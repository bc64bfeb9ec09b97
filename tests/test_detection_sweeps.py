# SPDX-License-Identifier: GPL-3.0-or-later
"""Sweeps of detectors: documented experiments, channels behind combiners, confidence intervals of error rates."""

from pathlib import Path

import numpy as np
import pytest

from gnuradio.thzum import channel, frame, simulation
from gnuradio.thzum.channel.config_file import read_document
from gnuradio.thzum.simulation.aosa_channels import AosaChannels


ROOT = Path(__file__).resolve().parents[1]
EXPERIMENTS = sorted((ROOT / "docs" / "experiments").glob("*.yml"))


@pytest.mark.parametrize("path", EXPERIMENTS, ids=[path.stem for path in EXPERIMENTS])
def test_documented_experiments_can_run(path, tmp_path, monkeypatch):
    """They name what there is; a cut of each runs."""
    monkeypatch.chdir(ROOT)
    config = read_document(path)
    small = {"channels": 4, "block": 4, "snr_db": config["snr_db"][-1:]}
    experiment = simulation.Experiment.from_dict({**config, **small})
    simulation.run(experiment, tmp_path / "results.jsonl", workers=1)
    ser = simulation.SweepResults.load(tmp_path / "results.jsonl").array("ser")
    assert ser.shape == (len(experiment.scenarios), len(experiment.algorithms), 1, 4) and (ser < 0.5).all()


def test_channels_behind_combiners():
    """Rows are those of choose_beams for the users' channels; the energy is one per user; a seed repeats itself."""
    channels = AosaChannels("thz140_aosa32x64", 5)
    H = channels.draw(3, np.random.default_rng(2))
    assert np.array_equal(H, channels.draw(3, np.random.default_rng(2))) and H.shape == (3, 32, 5)
    np.testing.assert_allclose(np.sum(np.abs(H) ** 2, axis=(1, 2)), 5, rtol=1e-5)
    drawn = channel.ChannelConfig.from_dict({"model": "thz140_aosa32x64", "users": 5})
    h = drawn.draw(3, int(np.random.default_rng(2).integers(2**63))).channels
    codebook = frame.dft_codebook(8, 8, channels.array.spacing)
    for found, users in zip(H, h):
        beams = frame.choose_beams(users, codebook, 1.0)
        wanted = np.einsum("sn,ksn->sk", codebook[beams], users.reshape(5, 32, 64))
        wanted *= np.sqrt(5 / np.sum(np.abs(wanted) ** 2))
        np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    "config, words",
    [
        ({"channel": "thz140_aosa32x64", "n_rx": 4}, "n_rx: expected 32"),
        ({"channel": "thz140_aosa32x64", "rx_correlation": 0.5}, "rx_correlation, tx_correlation: expected 0"),
        ({"channel": {"model": "thz140_aosa32x64", "users": 3}}, "no key 'users'"),
        ({"channel": "thz999"}, "expected one of"),
        ({"channel": "thz300_aosa4x256", "n_rx": 4, "n_tx": 5}, "expected at most 4"),
    ],
)
def test_wrong_channels_behind_combiners_are_refused(config, words):
    with pytest.raises(ValueError, match=words):
        simulation.MimoScenario.from_dict(config)


def test_chosen_beams_beat_the_strongest_ones():
    """The sum rate of the beams that are chosen together exceeds that of each subarray's strongest beam."""
    rng = np.random.default_rng(3)
    h = channel.ChannelConfig.from_dict({"model": "thz140_aosa32x64", "users": 12}).draw(1, 4).channels[0]
    codebook = frame.dft_codebook(8, 8, 0.5)
    seen = np.einsum("bn,ksn->sbk", codebook, h.reshape(12, 32, 64))
    strongest = np.argmax(np.sum(np.abs(seen) ** 2, axis=2), axis=1)
    at_random = rng.integers(0, len(codebook), 32)
    rates = []
    for beams in (frame.choose_beams(h, codebook, 0.5), strongest, at_random):
        H = seen[np.arange(32), beams]
        rates.append(np.linalg.slogdet(np.eye(12) + H.conj().T @ H / 0.5)[1])
    assert rates[0] > 1.1 * max(rates[1:]), rates
    for arguments, words in (((h, codebook, 0.0), "noise_var"), ((h[:, :-1], codebook, 1.0), "h: expected")):
        with pytest.raises(ValueError, match=words):
            frame.choose_beams(*arguments)


def test_rate_interval():
    """Wilson's interval where trials are independent (3 of 10: 0.108 to 0.603), wider where errors come together."""
    values = np.repeat([1.0, 0.0], [3, 7])
    mean, low, high = simulation.rate_interval(values)
    assert mean == 0.3 and (low, high) == pytest.approx((0.108, 0.603), abs=6e-3)
    assert simulation.rate_interval(np.zeros(1000))[1:] == pytest.approx((0, 3.827e-3), rel=1e-2)
    assert np.isfinite(simulation.rate_interval([0.5])).all()
    for bad in ([], [-0.1], [1.5], [np.nan]):
        with pytest.raises(ValueError, match="values: expected"):
            simulation.rate_interval(bad)


def test_rate_interval_covers_rates_of_vectors():
    """Rates whose errors come in bursts (beta-binomial, 24 users): coverage of 95 % within 3 sigma of 2000 runs plus
    the 2 % that Wilson's interval itself may miss by at ten expected bursts."""
    rng = np.random.default_rng(4)
    truth, inside = 0.02, 0
    for _ in range(2000):
        chance = rng.beta(0.1, 0.1 * (1 - truth) / truth, 400)
        _, low, high = simulation.rate_interval(rng.binomial(24, chance) / 24)
        inside += low <= truth <= high
    assert 0.95 - 0.02 - 3 * np.sqrt(0.05 * 0.95 / 2000) < inside / 2000 < 0.985
