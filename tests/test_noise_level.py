# SPDX-License-Identifier: GPL-3.0-or-later
"""Noise level from the pilots alone: accuracy against its bound, any number of slots, any combiner."""

import numpy as np
import pytest

from gnuradio import thzum
from gnuradio.thzum.array import array_preset

PRESET = "thz300_aosa4x256"
FRAMES = 60


def complex_normal(rng, *shape):
    return (rng.normal(size=shape) + 1j * rng.normal(size=shape)) / np.sqrt(2)


def blind(op, y, **options):
    _, report = thzum.estimator("ls", op, **options).estimate(y.astype(np.complex64))
    return report["noise_var"]


def received(op, h, noise_var, seed):
    clean = op.measure(h)
    return clean + np.sqrt(noise_var) * complex_normal(np.random.default_rng(seed), *clean.shape)


def decibels(ratio):
    return 10 * np.log10(ratio)


@pytest.mark.parametrize("slots", [128, 77])
@pytest.mark.parametrize("snr_db", [0, 10, 20])
def test_error_is_near_its_bound(slots, snr_db):
    """Five paths leave M - 25 complex observations, of which the variance has a relative deviation of
    1 / sqrt(M - 25): 0.20 dB for 128 slots, 0.26 dB for 77."""
    op = thzum.pilot_operator.hadamard(4, 16, 16, slots, seed=31)
    noise_var = 10 ** (-snr_db / 10)
    h = thzum.channel.preset(PRESET).sample(FRAMES, seed=2_000_000 + snr_db)
    error = decibels(blind(op, received(op, h, noise_var, snr_db)) / noise_var)
    bound = decibels(np.e) / np.sqrt(4 * slots - 25)
    # The rms of 60 errors scatters by 9 %, their mean by 0.13 bounds. Paths that are not found cost the rest.
    assert np.sqrt(np.mean(error**2)) < 1.4 * bound
    assert abs(np.mean(error)) < 0.5 * bound


def test_what_no_path_explains_is_not_taken_for_noise():
    """Energy all over the visible region, as of dense scattering, 20 dB above the noise: as noise it would
    raise the level by 20 dB; where waves do not reach it is seen nevertheless."""
    rng = np.random.default_rng(5)
    op = thzum.pilot_operator.hadamard(4, 16, 16, 128, seed=32)
    radius = np.sqrt(rng.random((40, 4, 60)))
    angle = rng.uniform(0, 2 * np.pi, radius.shape)
    row, col = np.arange(16), np.arange(16)
    waves_y = np.exp(2j * np.pi * 0.2 * (radius * np.sin(angle))[..., None] * row)
    waves_x = np.exp(2j * np.pi * 0.2 * (radius * np.cos(angle))[..., None] * col)
    gains = complex_normal(rng, 40, 4, 60) / np.sqrt(60)
    h = np.einsum("bsl,bsly,bslx->bsyx", gains, waves_y, waves_x).reshape(40, -1)
    error = decibels(blind(op, received(op, h, 0.01, 6)) / 0.01)
    # About half of the 512 observations see little of the waves: 0.27 dB deviation. Twelve paths taken out
    # of sixty leave a rest of another shape than the fit expects.
    assert np.sqrt(np.mean(error**2)) < 0.6
    assert abs(np.mean(error)) < 0.4


def test_without_path_removal():
    op = thzum.pilot_operator.hadamard(4, 16, 16, 128, seed=33)
    h = thzum.channel.preset(PRESET).sample(FRAMES, seed=2_000_100)
    error = decibels(blind(op, received(op, h, 0.1, 7), noise_paths=0) / 0.1)
    assert np.sqrt(np.mean(error**2)) < 0.45
    with pytest.raises(ValueError, match="noise_paths"):
        thzum.estimator("ls", op, noise_paths=65)


@pytest.mark.parametrize("noise_model", ["per_slot", "common"])
def test_any_combiner(noise_model):
    rng = np.random.default_rng(8)
    combiner = rng.choice([-1, 1], (4, 90, 256)) * rng.uniform(0.5, 2, (4, 90, 1)) / 16
    op = thzum.pilot_operator(combiner, rows=16, cols=16, noise_model=noise_model)
    h = thzum.channel.preset(PRESET).sample(30, seed=2_000_200)
    if noise_model == "common":
        y = op.measure((h + np.sqrt(0.05) * complex_normal(rng, *h.shape)).astype(np.complex64))
    else:
        y = op.measure(h)
        y = y + np.sqrt(0.05) * np.linalg.norm(combiner, axis=2).ravel() * complex_normal(rng, *y.shape)
    error = decibels(blind(op, y) / 0.05)
    # 335 observations: 0.24 dB each, 0.043 dB for the mean of 30.
    assert np.sqrt(np.mean(error**2)) < 0.35
    assert abs(np.mean(error)) < 0.15


@pytest.mark.parametrize("shape, spacing", [((2, 8, 8), 0.5), ((1, 1, 64), 0.3), ((3, 8, 16), 0.2)])
def test_other_arrays(shape, spacing):
    rng = np.random.default_rng(9)
    n = shape[1] * shape[2]
    op = thzum.pilot_operator.hadamard(*shape, n // 2, seed=34)
    y_cosine, x_cosine = rng.uniform(-0.6, 0.6, (2, 60, 1, 1))
    if shape[1] == 1:
        y_cosine = 0 * y_cosine
    row, col = np.indices(shape[1:])
    wave = np.exp(2j * np.pi * spacing * (y_cosine * row + x_cosine * col))
    h = (wave[:, None] * np.exp(2j * np.pi * rng.random((60, shape[0], 1, 1)))).reshape(60, -1)
    error = decibels(blind(op, received(op, h, 0.1, 10), spacing=spacing) / 0.1)
    bound = decibels(np.e) / np.sqrt(op.n_observations - shape[0] - 1)
    # Few observations, and few of them free of waves: the two variances are harder to tell apart.
    assert np.sqrt(np.mean(error**2)) < 2 * bound


@pytest.mark.parametrize("slots", [1, 2, 4, 8, 16, 32, 64, 256])
def test_any_number_of_slots_gives_an_estimate(slots):
    op = thzum.pilot_operator.hadamard(4, 16, 16, slots, seed=35)
    h = thzum.channel.preset(PRESET).sample(8, seed=2_000_300)
    y = received(op, h, 0.1, 11)
    for name in ("ls", "oamp", "newtonized_omp"):
        h_hat, report = thzum.estimator(name, op).estimate(y.astype(np.complex64))
        assert np.isfinite(h_hat).all()
        assert (report["noise_var"] > 0).all()
        # Never more than the power of the pilots, up to the rounding of single precision.
        assert (report["noise_var"] < 1.001 * np.mean(np.abs(y) ** 2, axis=1)).all()


def test_scale_batch_and_zeros():
    op = thzum.pilot_operator.hadamard(4, 16, 16, 77, seed=36)
    h = thzum.channel.preset(PRESET).sample(6, seed=2_000_400)
    y = received(op, h, 0.1, 12).astype(np.complex64)
    together = blind(op, y)
    alone = [blind(op, item) for item in y]
    np.testing.assert_array_equal(together, alone)
    for gain in (1e-12, 1e10):
        np.testing.assert_allclose(blind(op, gain * y) / gain**2, together, rtol=1e-3)
    y[2] = 0
    for name in ("ls", "newtonized_omp", "auto"):
        h_hat, report = thzum.estimator(name, op, array=array_preset(PRESET)).estimate(y)
        assert not h_hat[2].any()
        np.testing.assert_allclose(np.delete(report["noise_var"], 2), np.delete(together, 2), rtol=1e-6)


def test_every_estimator_reports_the_same_level():
    op = thzum.pilot_operator.hadamard(4, 16, 16, 77, seed=37)
    y = received(op, thzum.channel.preset(PRESET).sample(3, seed=2_000_500), 0.1, 13).astype(np.complex64)
    expected = blind(op, y)
    for name in thzum.estimators():
        _, report = thzum.estimator(name, op, array=array_preset(PRESET)).estimate(y)
        np.testing.assert_allclose(report["noise_var"], expected, rtol=1e-5, err_msg=name)
