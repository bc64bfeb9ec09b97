# SPDX-License-Identifier: GPL-3.0-or-later
"""The bench of soft bits: its figures of merit on soft bits whose quality is known."""

import importlib
import sys

import numpy as np
import pytest


@pytest.fixture
def quality(root, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(root / "bench"), *sys.path])
    return importlib.import_module("llr_quality")


def true_llrs(count, sigma, seed=0):
    """Bits and their true log-likelihood ratios behind a Gaussian channel."""
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2, count)
    return 2 / sigma**2 * (1 - 2.0 * bits + sigma * rng.standard_normal(count)), bits


def test_information_of_true_ratios_is_the_capacity(quality):
    """BPSK at sigma = 1 carries 0.4859 bits (numerical integral); three times too strong they offer less."""
    llr, bits = true_llrs(200_000, 1.0)
    offered, best, factor = quality.information(llr, bits)
    x = np.linspace(-12, 14, 20001)
    density = np.exp(-((x - 1) ** 2) / 2) / np.sqrt(2 * np.pi)
    capacity = 1 - np.sum(density * np.logaddexp(0, -2 * x)) * (x[1] - x[0]) / np.log(2)
    assert offered == pytest.approx(capacity, abs=0.01) and best >= offered
    assert factor == pytest.approx(1, abs=0.12)
    strong = quality.information(3 * llr, bits)
    assert strong[0] < capacity - 0.1 and strong[1] == pytest.approx(best, abs=1e-3)
    assert strong[2] == pytest.approx(1 / 3, rel=0.12)


def test_calibration_shows_a_factor(quality):
    llr, bits = true_llrs(400_000, 0.9)
    for factor in (1.0, 2.0):
        found = quality.calibration(factor * llr, bits)
        # The mean over a bin of the log odds is within 0.1 of those at its mean magnitude.
        ratio = np.array(found["counted"][1:4]) / np.array(found["claimed"][1:4])
        np.testing.assert_allclose(ratio, 1 / factor, rtol=0.12)


def test_code_words_come_back(quality):
    """Sent bits come back in the order in which they went in, and a point has errors where it should."""
    rng = np.random.default_rng(1)
    info = rng.integers(0, 2, (48, 152)).astype(np.uint8)
    coded = quality.encode(info).reshape(2, 24, 75, 4).transpose(0, 2, 1, 3).reshape(-1, 24, 4)
    np.testing.assert_array_equal(quality.decode(5.0 * (1 - 2.0 * coded)), info)
    found = quality.measure(words=48, snr_db=(8.0, 18.0), detectors=("lmmse", "ep"))["detectors"]
    for name in found:
        assert found[name]["bler"][0] > 0.5 > 0.1 > found[name]["bler"][1], found
        assert found[name]["information"][0] < found[name]["information"][1]
    assert "| ep |" in quality.report({"snr_db": [8.0, 18.0], "words": 48, "detectors": found})
