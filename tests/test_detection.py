# SPDX-License-Identifier: GPL-3.0-or-later
"""Detectors against the float64 oracles, published error rates, and hostile inputs."""

import subprocess
import sys

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gnuradio import thzum
from oracles import detection as oracle

NAMES = ["bpsk", "qpsk", "16qam", "64qam", "256qam"]
LINEAR = ["zf", "lmmse"]


def assert_sound(*arrays):
    for array in arrays:
        assert np.isfinite(array).all()


@pytest.mark.parametrize("name", NAMES)
def test_points_follow_38211(name):
    points = thzum.constellation_points(name)
    np.testing.assert_allclose(points, oracle.gray_points(name), atol=1e-6)
    assert np.mean(np.abs(points) ** 2) == pytest.approx(1.0, abs=1e-6)


@settings(deadline=None, max_examples=40)
@given(
    kind=st.sampled_from(LINEAR),
    n_rx=st.integers(1, 40),
    n_tx=st.integers(1, 40),
    noise_db=st.floats(-60, 20),
    gain_db=st.floats(-150, 150),
    seed=st.integers(0, 2**32 - 1),
)
def test_filter_matches_oracle(kind, n_rx, n_tx, noise_db, gain_db, seed):
    if kind == "zf":
        n_tx = min(n_tx, n_rx)
    rng = np.random.default_rng(seed)
    gain = 10 ** (gain_db / 20)
    H = (gain * oracle.complex_normal(rng, n_rx, n_tx)).astype(np.complex64)
    noise_var = np.float32(gain**2 * 10 ** (noise_db / 10))
    y = (gain * oracle.complex_normal(rng, 7, n_rx)).astype(np.complex64)
    W, wanted_variance = oracle.linear_filter(H.astype(complex), float(noise_var), kind)
    x_hat, variance = thzum.detector(kind, n_rx, n_tx, "qpsk").equalize(H, y, noise_var)
    wanted = y @ W.T
    # Single precision: the error of a product is relative to the sizes that go into it.
    reach = np.linalg.norm(y, axis=1)[:, None] * np.linalg.norm(W, axis=1)
    assert np.all(np.abs(x_hat - wanted) <= 1e-6 * reach + 1e-3 * np.abs(wanted))
    floor = np.linalg.norm(W, axis=1) ** 2 * np.mean(np.abs(H) ** 2) * n_tx
    assert np.all(np.abs(variance - wanted_variance) <= 1e-3 * wanted_variance + 1e-13 * floor + 2e-12)


@pytest.mark.parametrize("kind", LINEAR)
@pytest.mark.parametrize("n_rx, n_tx", [(32, 24), (8, 8), (5, 1)])
def test_filter_matches_oracle_tightly(kind, n_rx, n_tx):
    H, y, noise_var, _ = oracle.random_link("16qam", n_rx, n_tx, 12, 5, seed=n_rx)
    x_hat, variance = thzum.detector(kind, n_rx, n_tx, "16qam").equalize(H, y, noise_var)
    for b in range(5):
        W, wanted_variance = oracle.linear_filter(H[b], noise_var, kind)
        scale = np.linalg.norm(W, axis=1) * np.linalg.norm(y[b])
        np.testing.assert_array_less(np.abs(x_hat[b] - W @ y[b]), 1e-6 * scale)
        np.testing.assert_allclose(variance[b], wanted_variance, rtol=1e-5)


# Symbol error rates of i.i.d. 32x24 channels, measured elsewhere over 100,800 symbols per point.
@pytest.mark.parametrize(
    "kind, name, snr_db, expected",
    [
        ("lmmse", "qpsk", 10, 2.8e-2),
        ("zf", "qpsk", 10, 6.5e-2),
        ("lmmse", "qpsk", 6, 1.1e-1),
        ("lmmse", "16qam", 18, 4.8e-2),
        ("zf", "16qam", 18, 6.3e-2),
    ],
)
def test_symbol_error_rate(kind, name, snr_db, expected):
    H, y, noise_var, sent = oracle.random_link(name, 32, 24, snr_db, 834, seed=5)
    symbols, _ = thzum.detector(kind, 32, 24, name).detect(H, y, noise_var)
    per_vector = np.mean(symbols != sent, axis=1)
    standard_error = per_vector.std() / np.sqrt(len(sent))
    # Four of ours, plus the rounding of the table to two digits and its own spread (a fifth of our sample's).
    bound = 4 * np.hypot(standard_error, standard_error / np.sqrt(5)) + 0.02 * expected
    assert bound < 0.35 * expected
    assert abs(per_vector.mean() - expected) < bound


@pytest.mark.parametrize("kind", LINEAR)
def test_error_variance_is_what_it_says(kind):
    H, y, noise_var, sent = oracle.random_link("16qam", 12, 8, 15, 4000, seed=3)
    x_hat, variance = thzum.detector(kind, 12, 8, "16qam").equalize(H, y, noise_var)
    ratio = np.abs(x_hat - oracle.gray_points("16qam")[sent]) ** 2 / variance
    # 32000 nearly exponential ratios of mean 1: standard error 1/sqrt(32000), with room for correlation.
    assert abs(ratio.mean() - 1) < 6 * np.sqrt(8 / ratio.size)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("method", ["max_log", "log_map"])
@pytest.mark.parametrize("noise_var", [1.0, 0.1, 0.004])
def test_soft_bits_match_brute_force(name, method, noise_var):
    rng = np.random.default_rng(8)
    y = oracle.complex_normal(rng, 301, 1) * 1.5
    detector = thzum.detector("zf", 1, 1, name, llr=method)
    x_hat, variance = detector.equalize([[1.0]], y, noise_var)
    symbols, llr = detector.detect([[1.0]], y, noise_var)
    wanted = oracle.soft_bits(x_hat.astype(complex), variance.astype(float), name, method == "log_map")
    np.testing.assert_allclose(llr, wanted, rtol=2e-5, atol=2e-5 * max(1, 1 / noise_var))
    nearest = np.argmin(np.abs(x_hat[..., None] - oracle.gray_points(name)), -1)
    assert np.array_equal(symbols, nearest)
    assert llr.shape == (301, 1, detector.bits_per_symbol)


def test_soft_bits_are_calibrated():
    """Among bits of LLR about L, a part 1 / (1 + exp(L)) is 1: exact soft bits of a true Gaussian channel."""
    rng = np.random.default_rng(21)
    sent = rng.integers(0, 16, (40000, 1))
    noise_var = 0.3
    y = oracle.gray_points("16qam")[sent] + np.sqrt(noise_var) * oracle.complex_normal(rng, *sent.shape)
    _, llr = thzum.detector("lmmse", 1, 1, "16qam", llr="log_map").detect([[1.0]], y, noise_var)
    bits = oracle.bits_of(sent, 4).ravel()
    expected = 1 / (1 + np.exp(llr.ravel().astype(float)))
    for low, high in [(0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 1)]:
        pick = (expected >= low) & (expected < high)
        spread = np.sqrt(np.sum(expected[pick] * (1 - expected[pick]))) / pick.sum()
        assert abs(bits[pick].mean() - expected[pick].mean()) < 4 * spread


@pytest.mark.parametrize("kind", LINEAR)
def test_users_may_be_permuted(kind):
    H, y, noise_var, _ = oracle.random_link("16qam", 16, 12, 15, 50, seed=9)
    order = np.random.default_rng(1).permutation(12)
    detector = thzum.detector(kind, 16, 12, "16qam")
    straight = detector.equalize(H, y, noise_var)
    permuted = detector.equalize(H[:, :, order], y, noise_var)
    for a, b in zip(straight, permuted):
        np.testing.assert_allclose(a[:, order], b, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", LINEAR)
def test_batch_equals_single_calls(kind):
    H, y, noise_var, _ = oracle.random_link("64qam", 9, 5, 25, 130, seed=2)
    detector = thzum.detector(kind, 9, 5, "64qam")
    symbols, llr = detector.detect(H[0], y, noise_var)
    own_symbols, own_llr = detector.detect(np.repeat(H[:1], 130, 0), y, np.full(130, noise_var))
    assert np.array_equal(symbols, own_symbols) and np.array_equal(llr, own_llr)
    for b in (0, 63, 64, 129):
        single_symbols, single_llr = detector.detect(H[0], y[b], noise_var)
        assert np.array_equal(single_symbols, symbols[b]) and np.array_equal(single_llr, llr[b])


@pytest.mark.parametrize("kind", LINEAR)
def test_noise_variance_per_vector(kind):
    H, y, _, _ = oracle.random_link("qpsk", 6, 3, 10, 4, seed=4)
    detector = thzum.detector(kind, 6, 3, "qpsk")
    variances = [0.1, 0.1, 0.4, 0.1]
    together = detector.detect(H[0], y, variances)[1]
    for b, noise_var in enumerate(variances):
        assert np.array_equal(together[b], detector.detect(H[0], y[b], noise_var)[1])


@pytest.mark.parametrize("kind", LINEAR)
def test_dependent_users_leave_the_others_alone(kind):
    rng = np.random.default_rng(12)
    H = oracle.complex_normal(rng, 10, 5)
    H[:, 3] = (2 - 1j) * H[:, 1]
    points = oracle.gray_points("qpsk")
    sent = rng.integers(0, 4, (200, 5))
    y = points[sent] @ H.T + 0.01 * oracle.complex_normal(rng, 200, 10)
    detector = thzum.detector(kind, 10, 5, "qpsk")
    symbols, llr = detector.detect(H, y, 1e-4)
    x_hat, variance = detector.equalize(H, y, 1e-4)
    assert_sound(llr, x_hat, variance)
    assert np.array_equal(symbols[:, [0, 2, 4]], sent[:, [0, 2, 4]])
    # The error variance owns up to what cannot be told apart: users 1 and 3 differ by 7 dB.
    error = np.mean(np.abs(x_hat - points[sent]) ** 2, 0)
    np.testing.assert_allclose(error[[1, 3]], variance[0, [1, 3]], rtol=0.5)
    assert variance[0, 1] > 1 and variance[0, 0] < 1e-3


@pytest.mark.parametrize("kind", LINEAR)
@pytest.mark.parametrize("noise_var", [1e-37, 1e-20, 1e-8, 1e8, 1e20, 3e38])
@pytest.mark.parametrize("gain", [1e-15, 1.0, 1e12])
def test_extreme_levels_stay_finite(kind, noise_var, gain):
    H, y, _, _ = oracle.random_link("16qam", 6, 6, 20, 30, seed=1)
    detector = thzum.detector(kind, 6, 6, "16qam", llr="log_map")
    symbols, llr = detector.detect(gain * H[0], gain * y, noise_var)
    assert_sound(llr, *detector.equalize(gain * H[0], gain * y, noise_var))
    assert symbols.min() >= 0 and symbols.max() < 16
    if noise_var > 1e3 * gain**2:
        assert np.abs(llr).max() < 10


def test_noiseless_channel_is_inverted():
    H, _, _, sent = oracle.random_link("256qam", 6, 6, 20, 50, seed=31)
    y = oracle.gray_points("256qam")[sent] @ H[0].T
    for kind in LINEAR:
        symbols, llr = thzum.detector(kind, 6, 6, "256qam").detect(H[0], y, 1e-30)
        assert np.array_equal(symbols, sent)
        assert np.array_equal(llr < 0, oracle.bits_of(sent, 8).astype(bool))


def test_more_users_than_chains():
    with pytest.raises(ValueError, match="zf: n_tx expects at most n_rx = 4, got 5; use 'lmmse'"):
        thzum.detector("zf", 4, 5, "qpsk")
    H, y, noise_var, sent = oracle.random_link("qpsk", 4, 8, 10, 300, seed=7)
    detector = thzum.detector("lmmse", 4, 8, "qpsk")
    symbols, llr = detector.detect(H, y, noise_var)
    assert_sound(llr, *detector.equalize(H, y, 1e-30))
    assert np.mean(symbols != sent) < 0.6


SOURCE = dict(vlen="4", repeat="False", tags="[]")
GRC_BLOCKS = {
    "H": ("variable", dict(value="__import__('numpy').eye(4).ravel().astype(complex).tolist()")),
    "users": ("blocks_vector_source_x", dict(SOURCE, type="complex", vector="H * 50")),
    "vectors": ("blocks_vector_source_x", dict(SOURCE, type="complex", vector="[1+1j] * 1000")),
    "truth": ("blocks_vector_source_x", dict(SOURCE, type="int", vector="[0, 0, 0, 1] * 250")),
    "effective": (
        "thzum_effective_channel",
        dict(n_subarrays="4", n_antennas="1", n_users="4", codebook="[[1]]", beams="[0, 0, 0, 0]"),
    ),
    "detect": (
        "thzum_mimo_detector",
        dict(n_rx="4", n_tx="4", n_symbols="5", constellation="qpsk", algorithm="zf", noise_var="0.1"),
    ),
    "probe": ("thzum_ser_probe", dict(n_users="4", report_interval="10")),
}
GRC_CONNECTIONS = [
    ["users", "0", "effective", "0"],
    ["effective", "0", "detect", "0"],
    ["vectors", "0", "detect", "1"],
    ["detect", "0", "probe", "0"],
    ["truth", "0", "probe", "1"],
]


def test_grc_blocks_make_a_flowgraph_that_runs(tmp_path):
    """grcc compiles the three blocks without complaint, and the program counts the one wrong user in four."""
    enabled = dict(state="enabled")
    options = dict(id="detection", generate_options="no_gui", run_options="run")
    flowgraph = {
        "options": dict(parameters=options, states=enabled),
        "blocks": [dict(name=n, id=i, parameters=p, states=enabled) for n, (i, p) in GRC_BLOCKS.items()],
        "connections": GRC_CONNECTIONS,
        "metadata": {"file_format": 1},
    }
    (tmp_path / "detection.grc").write_text(yaml.safe_dump(flowgraph))
    command = ["grcc", "-o", tmp_path, tmp_path / "detection.grc"]
    compiled = subprocess.run(command, capture_output=True, text=True)
    assert (tmp_path / "detection.py").exists(), compiled.stdout + compiled.stderr
    probe = "import detection as d; t = d.detection(); t.run(); print(t.probe.errors(), t.probe.count())"
    program = subprocess.run([sys.executable, "-c", probe], cwd=tmp_path, capture_output=True, text=True)
    assert program.stdout.split()[-2:] == ["250", "1000"], program.stdout + program.stderr
