# SPDX-License-Identifier: GPL-3.0-or-later
"""The shipped FPN-OAMP model on channels that neither it nor its simulator has seen.

Channels, combiner and noise are a subset of what the published generator made (tests/data/README.md).
"""

import dataclasses
import functools

import numpy as np
import pytest

from gnuradio import thzum

#: Figures asked of one model for all noise levels, NMSE in dB at SNR 0/5/10/15/20 dB, M/N = 0.5.
ASKED_DB = {0: -11.5, 5: -15.8, 10: -19.5, 15: -22.5, 20: -25.0}

#: Channels used of those in the file.
USED = 50


@functools.lru_cache(maxsize=None)
def reference(path):
    file = np.load(path)
    channels = file["channel"].reshape(len(file["channel"]), -1)
    noise = file["antenna_noise"].reshape(channels.shape)
    return channels[:USED], file["combiner"].astype(np.complex64), noise[:USED]


@pytest.fixture
def benchmark(data):
    """The published set-up: its combiner, one antenna-noise vector through all slots."""
    channels, combiner, noise = reference(data / "aosa1024_reference.npz")
    op = thzum.pilot_operator(combiner, rows=16, cols=16, noise_model="common")

    def observe(snr_db):
        noise_var = 10 ** (-snr_db / 10)
        return op.measure((channels + np.sqrt(noise_var) * noise).astype(np.complex64)), noise_var

    return op, channels, observe


def standard_error_db(h_hat, h):
    """Standard error of the mean NMSE over channels, in dB."""
    error = np.linalg.norm(h_hat - h, axis=1) ** 2 / np.linalg.norm(h, axis=1) ** 2
    return 10 / np.log(10) * error.std() / np.sqrt(len(error)) / error.mean()


@pytest.mark.parametrize("snr_db", ASKED_DB)
def test_nmse_on_the_published_generators_channels(benchmark, snr_db):
    op, channels, observe = benchmark
    h_hat, _ = thzum.estimator("fpn_oamp", op).estimate(*observe(snr_db))
    slack = 2 * standard_error_db(h_hat, channels)
    assert thzum.metrics.nmse_db(h_hat, channels) < ASKED_DB[snr_db] + slack


def test_the_network_beats_every_classical_prior(benchmark):
    op, channels, observe = benchmark
    y, noise_var = observe(10)
    learned = thzum.metrics.nmse_db(thzum.estimator("fpn_oamp", op).estimate(y, noise_var)[0], channels)
    for name in ("ls", "omp", "amp", "oamp"):
        classical = thzum.metrics.nmse_db(thzum.estimator(name, op).estimate(y, noise_var)[0], channels)
        assert learned < classical - 1.0, name


def test_one_fixed_point_whatever_the_start(benchmark):
    op, _, observe = benchmark
    for snr_db in (0, 20):
        y, noise_var = observe(snr_db)
        estimates = [
            thzum.estimator("fpn_oamp", op, start=start, tolerance=1e-6, max_iterations=40).estimate(y, noise_var)[0]
            for start in ("zero", "ls", "random")
        ]
        scale = np.linalg.norm(estimates[0], axis=1)
        for other in estimates[1:]:
            assert (np.linalg.norm(other - estimates[0], axis=1) / scale).max() < 1e-3


def test_residual_falls_linearly(benchmark):
    op, _, observe = benchmark
    _, report = thzum.estimator("fpn_oamp", op, tolerance=0.0, max_iterations=8).estimate(*observe(10))
    history = np.asarray(report["residual_history"])[:, :8]
    ratio = history[:, 2:] / history[:, 1:-1]
    assert np.median(ratio) < 0.6
    assert (history[:, -1] < history[:, 1]).all()


def test_more_iterations_never_hurt(benchmark):
    op, channels, observe = benchmark
    for snr_db in (0, 10, 20):
        y, noise_var = observe(snr_db)
        curve = [
            thzum.metrics.nmse_db(
                thzum.estimator("fpn_oamp", op, tolerance=0.0, max_iterations=depth).estimate(y, noise_var)[0], channels
            )
            for depth in (1, 2, 3, 4, 6, 9, 15)
        ]
        assert max(later - earlier for k, earlier in enumerate(curve) for later in curve[k:]) < 0.05


@pytest.mark.parametrize("sub_rows, sub_cols", [(1, 1), (1, 2), (2, 4), (4, 4)])
def test_other_numbers_of_subarrays_use_the_same_file(sub_rows, sub_cols):
    model = thzum.channel.preset("thz300_aosa4x256")
    model.array = array = dataclasses.replace(model.array, sub_rows=sub_rows, sub_cols=sub_cols)
    rng = np.random.default_rng(8)
    h = np.asarray(model.response(model.draw_paths(24, rng))).astype(np.complex64)
    assert h.shape == (24, 256 * sub_rows * sub_cols)
    op = thzum.pilot_operator.hadamard(array.n_subarrays, 16, 16, n_slots=128, seed=2)
    clean = op.measure(h)
    noise = (rng.standard_normal(clean.shape) + 1j * rng.standard_normal(clean.shape)) * np.sqrt(0.05)
    h_hat, _ = thzum.estimator("fpn_oamp", op).estimate((clean + noise).astype(np.complex64), 0.1)
    # One subarray alone has a quarter of the pilots to find directions with.
    assert thzum.metrics.nmse_db(h_hat, h) < (-15.0 if array.n_subarrays == 1 else -18.0)


def test_predicted_nmse_is_near_the_true_one(benchmark):
    op, channels, observe = benchmark
    for snr_db in ASKED_DB:
        h_hat, report = thzum.estimator("fpn_oamp", op).estimate(*observe(snr_db))
        predicted = 10 * np.log10(np.mean(10 ** (np.asarray(report["predicted_nmse_db"]) / 10)))
        assert abs(predicted - thzum.metrics.nmse_db(h_hat, channels)) < 1.0
