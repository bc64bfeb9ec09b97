# SPDX-License-Identifier: GPL-3.0-or-later
"""Denoisers against float64 oracles, and ONNX networks behind the denoiser interface."""

import numpy as np
import pytest
import tiny_models
from hypothesis import given, settings
from hypothesis import strategies as st

from gnuradio import thzum


def complex_gaussian(rng, shape, variance=1.0):
    parts = rng.standard_normal((*shape, 2)) * np.sqrt(variance / 2)
    return parts[..., 0] + 1j * parts[..., 1]


def sparse(rng, shape, rate=0.1):
    return complex_gaussian(rng, shape, 1 / rate) * (rng.random(shape) < rate)


def soft_threshold_risk(magnitude, threshold, variance):
    """Stein's estimate of the mean-square error of one coefficient."""
    above = magnitude > threshold
    divergence = np.sum(1 - threshold / (2 * magnitude[above]))
    energy = above.sum() * threshold**2 + np.sum(magnitude[~above] ** 2)
    return (energy + 2 * variance * divergence) / magnitude.size - variance


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 4),
    st.integers(1, 9),
    st.integers(1, 9),
    st.integers(1, 3),
    st.floats(0.1, 4),
    st.floats(-60, 60),
    st.integers(0, 2**31),
)
def test_soft_threshold_is_the_oracles(n_subarrays, rows, cols, batch, factor, gain_db, seed):
    rng = np.random.default_rng(seed)
    gain = 10 ** (gain_db / 20)
    size = n_subarrays * rows * cols
    variance = gain**2 * rng.uniform(0.01, 2, batch).astype(np.float32)
    noise = complex_gaussian(rng, (batch, size)) * np.sqrt(variance)[:, None]
    r = (gain * sparse(rng, (batch, size)) + noise).astype(np.complex64)
    denoiser = thzum.denoiser(
        "soft_threshold", n_subarrays, rows, cols, dictionary="identity", threshold_factor=factor, max_batch=2
    )
    x_hat, error, divergence = denoiser.denoise(r, variance)
    threshold = factor * np.sqrt(variance.astype(float))
    magnitude = np.abs(r.astype(complex))
    expected = r * np.maximum(0, 1 - threshold[:, None] / magnitude)
    np.testing.assert_allclose(x_hat, expected, atol=2e-6 * magnitude.max())
    for b in range(batch):
        risk = soft_threshold_risk(magnitude[b], threshold[b], variance[b])
        assert error[b] == pytest.approx(max(risk, 0), rel=1e-3, abs=1e-4 * float(variance[b]))
        above = magnitude[b] > threshold[b]
        slope = np.sum(1 - threshold[b] / (2 * magnitude[b][above])) / size
        assert divergence[b] == pytest.approx(slope, rel=1e-4, abs=1e-5)


def test_bernoulli_gaussian_is_the_posterior_mean_by_quadrature():
    rate, variance = 0.2, 0.4
    rng = np.random.default_rng(1)
    r = sparse(rng, (256,), rate) + complex_gaussian(rng, (256,), variance)
    denoiser = thzum.denoiser(
        "bernoulli_gaussian", 4, 8, 8, dictionary="identity", em_iterations=0, sparsity=rate
    )
    x_hat, _, _ = denoiser.denoise(r.astype(np.complex64), variance)
    signal = (np.mean(np.abs(r) ** 2) - variance) / rate  # the prior no EM round starts from
    axis = np.linspace(-12, 12, 401)
    x = axis[:, None] + 1j * axis
    prior = rate * np.exp(-np.abs(x) ** 2 / signal) / (np.pi * signal) * (axis[1] - axis[0]) ** 2
    for i in range(0, 256, 8):
        likelihood = np.exp(-np.abs(r[i] - x) ** 2 / variance)
        weight = prior * likelihood
        silent = (1 - rate) * np.exp(-np.abs(r[i]) ** 2 / variance)
        assert abs(x_hat[i] - np.sum(weight * x) / (np.sum(weight) + silent)) < 2e-3


@pytest.mark.parametrize("dictionary", ["identity", "dft", "visible_region"])
@pytest.mark.parametrize("name", ["soft_threshold", "bernoulli_gaussian"])
def test_batches_and_single_items_agree(name, dictionary):
    denoiser = thzum.denoiser(name, 2, 16, 16, dictionary=dictionary, max_batch=3)
    rng = np.random.default_rng(2)
    r = sparse(rng, (8, denoiser.coefficients)) + complex_gaussian(rng, (8, denoiser.coefficients), 0.1)
    r = r.astype(np.complex64)
    variance = np.linspace(0.05, 0.2, 8).astype(np.float32)
    together = denoiser.denoise(r, variance)
    for b in range(8):
        alone = denoiser.denoise(r[b], variance[b])
        for one, many in zip(alone, together):
            assert one.shape == many.shape[1:]
            np.testing.assert_array_equal(one, many[b])


# --- ONNX ---------------------------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.onnx"


def onnx_denoiser(path, n_subarrays=4, rows=16, cols=16, **options):
    return thzum.denoiser("onnx", n_subarrays, rows, cols, model=path, **options)


def noisy(rng, batch, size, variance):
    return (complex_gaussian(rng, (batch, size)) + complex_gaussian(rng, (batch, size), variance)).astype(
        np.complex64
    )


@pytest.mark.parametrize("n_subarrays", [1, 4, 5])
@pytest.mark.parametrize("batch", [1, 7, 16, 19])
def test_network_sees_each_item_at_its_noise_level(path, n_subarrays, batch):
    denoiser = onnx_denoiser(tiny_models.save(path), n_subarrays, max_batch=8)
    assert denoiser.coefficients == n_subarrays * 100
    rng = np.random.default_rng(3)
    r = noisy(rng, batch, denoiser.coefficients, 0.5)
    variance = np.geomspace(0.02, 3, batch).astype(np.float32)
    x_hat, _, divergence = denoiser.denoise(r, variance)
    np.testing.assert_allclose(x_hat, r / (1 + variance[:, None]), atol=1e-4)
    np.testing.assert_allclose(divergence, 1 / (1 + variance), rtol=2e-3)


def test_repeated_runs_of_changing_batches_agree(path):
    denoiser = onnx_denoiser(tiny_models.save(path), max_batch=4)
    rng = np.random.default_rng(4)
    r = noisy(rng, 4, denoiser.coefficients, 0.5)
    first = denoiser.denoise(r, 0.5)
    for batch in (1, 3, 2, 4, 1, 4):
        again = denoiser.denoise(r[:batch], 0.5)
        for a, b in zip(first, again):
            np.testing.assert_array_equal(a[:batch], b)


def test_noise_level_stays_in_the_range_of_the_card(path):
    denoiser = onnx_denoiser(tiny_models.save(path))  # -20 to 6 dB
    r = noisy(np.random.default_rng(5), 2, denoiser.coefficients, 0.5)
    x_hat, _, _ = denoiser.denoise(r, [1e-6, 1e3])
    np.testing.assert_allclose(x_hat, r / (1 + 10 ** np.array([[-2.0], [0.6]])), atol=1e-4)


def test_predicted_error_is_the_curve_of_the_card(path):
    denoiser = onnx_denoiser(tiny_models.save(path), max_batch=8)
    noise_db = np.array([-60, -22, -20, -15, -10, -5, 0, 5, 40])
    nmse_db = np.array([-28, -26.4, -25, -21.5, -18, -15, -12, -9, 0])
    r = noisy(np.random.default_rng(6), len(noise_db), denoiser.coefficients, 0.5)
    _, error, _ = denoiser.denoise(r, 10 ** (noise_db / 10))
    # 256 antennas of unit power are 100 coefficients.
    np.testing.assert_allclose(10 * np.log10(error * 100 / 256), nmse_db, atol=1e-3)


@pytest.mark.parametrize(
    "array, changes, parts",
    [
        (dict(rows=8), {}, ["16x16", "8x16"]),
        (dict(n_subarrays=3), dict(n_subarrays="4"), ["4", "3", "subarrays"]),
        (dict(spacing=0.5), {}, ["spacing", "0.5", "0.205"]),
    ],
)
def test_model_for_another_array(path, array, changes, parts):
    tiny_models.save(path, **changes)
    with pytest.raises(ValueError) as error:
        onnx_denoiser(path, **array)
    for part in [str(path), *parts]:
        assert part in str(error.value)


@pytest.mark.parametrize(
    "changes",
    [
        dict(subarray_rows=None),
        dict(subarray_rows="sixteen"),
        dict(n_subarrays="2,2"),
        dict(domain="dft"),
        dict(n_slepian="10,10,10"),
        dict(grid=""),
        dict(span="0.215;0.215"),
        dict(noise_db_min=None),
        dict(noise_db_max="nan"),
        dict(noise_db_min="9"),
        dict(n_slepian="0"),
        dict(nmse_curve_db="-25,-18"),
        dict(nmse_curve_noise_db="0,-10,-20"),
    ],
)
def test_card_that_is_wrong(path, changes):
    tiny_models.save(path, **changes)
    with pytest.raises(RuntimeError, match=f"card.*{next(iter(changes))}.*; export") as error:
        onnx_denoiser(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    "network, part",
    [
        (dict(image="picture"), "'image'"),
        (dict(noise_std="sigma"), "'noise_std'"),
        (dict(denoised="out"), "'denoised'"),
        (dict(dims=(1, "subarrays", 2, 12, 12)), r"\[1,any,2,12,12\]"),
        (dict(dims=("batch", 3, 2, 12, 12)), r"\[any,3,2,12,12\]"),
        (dict(dims=("batch", "subarrays", 2, 16, 16)), r"\[any,any,2,16,16\]"),
    ],
)
def test_network_with_other_ports(path, network, part):
    tiny_models.save(path, tiny_models.shrinkage(**network))
    with pytest.raises(RuntimeError, match=part):
        onnx_denoiser(path)


def test_empty_path_is_the_shipped_model(tmp_path, monkeypatch):
    monkeypatch.setenv("THZUM_MODELS", str(tmp_path))
    tiny_models.save(tmp_path / "fpn_oamp.onnx")
    assert str(tmp_path / "fpn_oamp.onnx") in repr(thzum.denoiser("onnx", 4, 16, 16))
