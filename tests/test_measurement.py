# SPDX-License-Identifier: GPL-3.0-or-later
"""Measurement against NumPy in double precision: dictionaries, pilot operators, observation model."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnuradio import thzum
from gnuradio.thzum.array.visible_region import VisibleRegion

# Relative error of products of a few hundred terms in single precision.
TOLERANCE = 3e-6

sizes = st.integers(1, 8)
subarrays = st.integers(1, 4)
batches = st.one_of(st.none(), st.integers(1, 9))  # None: no batch axis
seeds = st.integers(0, 2**32 - 1)
kinds = st.sampled_from(["signs", "real", "complex"])
noise_models = st.sampled_from(["per_slot", "common"])


def complex_normal(rng, *shape):
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(np.complex64) / np.sqrt(2)


def batch_shape(batch):
    return () if batch is None else (batch,)


def draw_combiner(rng, kind, shape):
    if kind == "signs":
        return rng.choice([-1.0, 1.0], shape)
    return rng.standard_normal(shape) if kind == "real" else complex_normal(rng, *shape)


def distance(got, expected):
    """Error relative to the largest expected value."""
    assert got.shape == expected.shape
    return np.max(np.abs(got - expected), initial=0) / max(np.max(np.abs(expected), initial=0), 1e-12)


def block_diagonal(blocks):
    s, q, n = blocks.shape
    matrix = np.zeros((s, q, s, n), complex)
    matrix[np.arange(s), :, np.arange(s), :] = blocks
    return matrix.reshape(s * q, s * n)


def matrix_of(function, inputs):
    """Matrix of a linear method that takes a batch of vectors."""
    return function(np.eye(inputs)).T.astype(complex)


def noise_covariance(matrix, noise_model):
    covariance = matrix @ matrix.conj().T
    return covariance if noise_model == "common" else np.diag(np.diag(covariance))


@settings(deadline=None, max_examples=60)
@given(kinds, subarrays, st.integers(1, 40), sizes, sizes, batches, seeds)
def test_measure_and_adjoint_are_the_combiner(kind, n_subarrays, n_slots, rows, cols, batch, seed):
    rng = np.random.default_rng(seed)
    combiner = draw_combiner(rng, kind, (n_subarrays, n_slots, rows * cols))
    op = thzum.pilot_operator(combiner, rows, cols)
    matrix = block_diagonal(combiner)
    h = complex_normal(rng, *batch_shape(batch), op.n_antennas)
    y = complex_normal(rng, *batch_shape(batch), op.n_observations)
    scale = np.linalg.norm(matrix, 2)
    assert np.max(np.abs(op.measure(h) - h @ matrix.T)) < TOLERANCE * scale * np.linalg.norm(h)
    assert np.max(np.abs(op.adjoint(y) - y @ matrix.conj())) < TOLERANCE * scale * np.linalg.norm(y)


@settings(deadline=None, max_examples=60)
@given(kinds, noise_models, subarrays, st.integers(1, 40), sizes, sizes, seeds)
def test_whitening_is_exact(kind, noise_model, n_subarrays, n_slots, rows, cols, seed):
    rng = np.random.default_rng(seed)
    combiner = draw_combiner(rng, kind, (n_subarrays, n_slots, rows * cols))
    op = thzum.pilot_operator(combiner, rows, cols, noise_model=noise_model)
    matrix = block_diagonal(combiner)
    gains = op.gains.ravel().astype(float)
    projection = matrix_of(op.project, op.n_antennas)
    whitening = matrix_of(op.whiten, op.n_observations)
    carries_noise = np.ones_like(gains) if noise_model == "per_slot" else (gains > 0).astype(float)

    assert op.rank == min(n_slots, rows * cols) and op.gains.shape == (n_subarrays, op.rank)
    assert distance(projection @ projection.conj().T, np.eye(len(gains))) < TOLERANCE
    assert distance(op.backproject(np.eye(len(gains))).T, projection.conj().T) < TOLERANCE
    # A nearly singular combiner magnifies the rounding of its own entries.
    smallest = np.min(gains[gains > 0]) if noise_model == "per_slot" else smallest_singular_value(combiner)
    tolerance = 10 * TOLERANCE * max(1.0, np.sqrt(rows * cols) / smallest)
    assert distance(whitening @ matrix, gains[:, None] * projection) < tolerance
    noise = whitening @ noise_covariance(matrix, noise_model) @ whitening.conj().T
    assert distance(noise, np.diag(carries_noise)) < tolerance


def smallest_singular_value(combiner):
    values = np.linalg.svd(combiner, compute_uv=False)
    return np.min(values[values > 1e-4 * values[:, :1]])


@settings(deadline=None, max_examples=40)
@given(subarrays, st.integers(0, 4), st.integers(0, 4), st.data(), batches, seeds)
def test_hadamard_operator(n_subarrays, row_bits, col_bits, data, batch, seed):
    rows, cols = 2**row_bits, 2**col_bits
    n_slots = data.draw(st.integers(1, rows * cols))
    op = thzum.pilot_operator.hadamard(n_subarrays, rows, cols, n_slots, seed)
    matrix = block_diagonal(op.combiner)
    assert op.is_fast and op.noise_model == "per_slot" and np.all(op.gains == 1)
    assert distance(matrix @ matrix.conj().T, np.eye(op.n_observations)) < TOLERANCE
    rng = np.random.default_rng(seed)
    h = complex_normal(rng, *batch_shape(batch), op.n_antennas)
    y = complex_normal(rng, *batch_shape(batch), op.n_observations)
    assert np.max(np.abs(op.measure(h) - h @ matrix.T)) < TOLERANCE * np.linalg.norm(h)
    assert np.max(np.abs(op.adjoint(y) - y @ matrix.conj())) < TOLERANCE * np.linalg.norm(y)
    assert np.array_equal(op.whiten(y), y.astype(np.complex64))  # NumPy 2 draws a lone value in double precision


def test_hadamard_and_dense_operator_agree():
    fast = thzum.pilot_operator.hadamard(4, 16, 16, 128, seed=1)
    dense = thzum.pilot_operator(fast.combiner, 16, 16)
    assert not dense.is_fast
    h = complex_normal(np.random.default_rng(0), 3, 1024)
    assert distance(dense.measure(h), fast.measure(h)) < TOLERANCE
    assert distance(dense.gains, fast.gains) < TOLERANCE
    both = dense.backproject(dense.project(h)), fast.backproject(fast.project(h))
    assert distance(*both) < TOLERANCE


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 20), st.integers(1, 20), batches, seeds)
def test_dft_dictionary(rows, cols, batch, seed):
    rng = np.random.default_rng(seed)
    h = complex_normal(rng, *batch_shape(batch), rows * cols)
    dictionary = thzum.dictionary("dft", rows, cols)
    c = np.fft.ifft2(h.reshape(*h.shape[:-1], rows, cols), norm="ortho").reshape(h.shape)
    assert distance(dictionary.analyze(h), c) < TOLERANCE
    assert distance(dictionary.synthesize(c), h) < TOLERANCE


@st.composite
def axes(draw):
    """Settings of one axis. Far past the time-bandwidth product the sign of a sequence is arbitrary."""
    size = draw(st.integers(3, 24))  # SciPy's dpss fails on two elements
    half_bandwidth = draw(st.floats(0.1, 0.45))
    n_slepian = draw(st.integers(1, min(size, int(2 * size * half_bandwidth) + 3)))
    grid = n_slepian + draw(st.integers(0, 4))
    return dict(
        size=size, n_slepian=n_slepian, half_bandwidth=half_bandwidth, grid=grid, span=half_bandwidth + 0.01
    )


@settings(deadline=None, max_examples=40)
@given(axes(), axes(), batches, seeds)
def test_visible_region_against_its_twin(row_axis, col_axis, batch, seed):
    rng = np.random.default_rng(seed)
    region = thzum.visible_region(
        thzum.visible_region.axis(**row_axis), thzum.visible_region.axis(**col_axis)
    )
    row_twin, col_twin = VisibleRegion(**row_axis), VisibleRegion(**col_axis)
    h = complex_normal(rng, *batch_shape(batch), region.rows, region.cols)
    flat = batch_shape(batch) + (-1,)
    c = row_twin.basis.conj().T @ h @ col_twin.basis.conj()
    assert distance(region.analyze(h.reshape(flat)), c.reshape(flat)) < TOLERANCE
    back = row_twin.basis @ c @ col_twin.basis.T
    assert distance(region.synthesize(c.reshape(flat)), back.reshape(flat)) < TOLERANCE
    image = row_twin.zoom @ c @ col_twin.zoom.T
    parts = region.image(c.reshape(flat))
    assert parts.dtype == np.float32
    error = parts[..., 0, :, :] + 1j * parts[..., 1, :, :] - image
    assert np.max(np.abs(error)) < TOLERANCE * np.linalg.norm(c)  # beyond the band images are near zero


def test_image_inverse_against_the_twin():
    twin = VisibleRegion()
    region = thzum.visible_region(16, 16, spacing=0.2)
    parts = np.random.default_rng(3).standard_normal((5, 2, 12, 12))  # not in the range of image()
    expected = twin.unzoom @ (parts[:, 0] + 1j * parts[:, 1]) @ twin.unzoom.T
    assert distance(region.from_image(parts), expected.reshape(5, 100)) < 1e-5
    c = complex_normal(np.random.default_rng(4), 5, 100)
    assert distance(region.from_image(region.image(c)), c) < 1e-5


@settings(deadline=None, max_examples=40)
@given(
    kinds, noise_models, st.sampled_from(thzum.dictionary.names()), subarrays, st.integers(1, 40), sizes, sizes,
    st.sampled_from([0.1, 0.2, 0.5]), seeds,
)
def test_observation_model(kind, noise_model, name, n_subarrays, n_slots, rows, cols, spacing, seed):
    rng = np.random.default_rng(seed)
    combiner = draw_combiner(rng, kind, (n_subarrays, n_slots, rows * cols))
    op = thzum.pilot_operator(combiner, rows, cols, noise_model)
    dictionary = thzum.dictionary(name, rows, cols, spacing)
    model = thzum.observation_model(op, dictionary)
    k, r = dictionary.coefficients, model.rank
    assert r == min(op.rank, k) and model.coefficients == n_subarrays * k

    right = matrix_of(model.to_singular, model.coefficients)
    assert distance(right @ right.conj().T, np.eye(n_subarrays * r)) < TOLERANCE
    assert distance(model.from_singular(np.eye(n_subarrays * r)).T, right.conj().T) < TOLERANCE

    # The same singular values as the whitened operator times the dictionary, in double precision.
    atoms = matrix_of(dictionary.synthesize, k)
    projection = matrix_of(op.project, op.n_antennas).reshape(n_subarrays, op.rank, n_subarrays, -1)
    blocks = projection[np.arange(n_subarrays), :, np.arange(n_subarrays)]
    expected = np.linalg.svd(op.gains[:, :, None] * (blocks @ atoms), compute_uv=False)
    got = -np.sort(-model.singular_values, axis=1)
    assert np.max(np.abs(got - expected)) < 1e-4 * np.max(expected)

    c = complex_normal(rng, 2, model.coefficients)
    h = dictionary.synthesize(c.reshape(-1, k)).reshape(2, -1)
    y = op.measure(h)
    z, excess = model.observe(y)
    whitened = op.whiten(y)
    scale = np.max(np.linalg.norm(whitened, axis=1))
    assert np.max(np.abs(z - model.singular_values.ravel() * model.to_singular(c))) < 1e-4 * scale
    assert excess.shape == (2,) and np.max(excess) < 1e-6 * scale**2


def test_excess_energy_estimates_the_noise_variance():
    op = thzum.pilot_operator.hadamard(4, 16, 16, 128, seed=1)
    model = thzum.observation_model(op, thzum.dictionary("visible_region", 16, 16))
    assert model.excess_dimensions == 4 * (128 - 100)
    rng = np.random.default_rng(5)
    batch, noise_var = 400, 0.03
    c = complex_normal(rng, batch, 400)
    h = thzum.dictionary("visible_region", 16, 16).synthesize(c.reshape(-1, 100)).reshape(batch, -1)
    y = op.measure(h) + np.sqrt(noise_var) * complex_normal(rng, batch, op.n_observations)
    estimate = model.observe(y)[1] / model.excess_dimensions
    # Each energy is chi-square of 2 * 112 degrees of freedom; five standard deviations of the mean.
    assert abs(np.mean(estimate) / noise_var - 1) < 5 / np.sqrt(batch * model.excess_dimensions)
    assert 0.7 < np.std(estimate) / noise_var * np.sqrt(model.excess_dimensions) < 1.3


def test_dictionary_of_a_model_keeps_its_type():
    op = thzum.pilot_operator.hadamard(1, 16, 16, 128)
    model = thzum.observation_model(op, thzum.visible_region(16, 16))
    assert isinstance(model.dict, thzum.visible_region)
    assert "visible_region" in repr(model.dict) and "n_slots=128" in repr(model)


HADAMARD = dict(n_subarrays=1, rows=4, cols=4, n_slots=8, seed=1)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda op: op.measure(np.zeros(15)), r"h: expected complex64 of shape \[16\] or \[B, 16\], got float64 of shape \[15\]"),
        (lambda op: op.measure(np.zeros((2, 3, 16))), "h: expected complex64"),
        (lambda op: op.adjoint(np.zeros(16)), "y: expected complex64"),
        (lambda op: op.measure(np.full(16, np.nan)), "h: expected finite values, got NaN or Inf"),
        (lambda op: op.measure([float("inf")] * 16), "h: expected finite values, got NaN or Inf"),
        (lambda op: op.measure(np.array([None] * 16)), "h: expected values that convert to complex64, got object"),
        (lambda op: op.measure(np.array(["1"] * 16)), "h: expected values that convert to complex64, got <U1"),
        (lambda op: op.measure([[1], [1, 2]]), "h: expected an array"),
        (lambda op: thzum.pilot_operator(np.ones((1, 2, 5)), 2, 2), "combiner: expected complex64 of shape"),
        (lambda op: thzum.pilot_operator(np.ones((2, 4)), 2, 2), "combiner: expected complex64 of shape"),
        (lambda op: thzum.pilot_operator(np.zeros((1, 2, 4)), 2, 2), "a row of zeros in subarray 0, slot 0"),
        (lambda op: thzum.pilot_operator(np.full((1, 2, 4), np.inf), 2, 2), "combiner: expected finite"),
        (lambda op: thzum.pilot_operator(np.ones((1, 0, 4)), 2, 2), "n_slots"),
        (lambda op: thzum.pilot_operator(np.ones((0, 2, 4)), 2, 2), "n_subarrays"),
        (lambda op: thzum.pilot_operator(np.ones((1, 2, 4)), 0, 2), "rows, cols: expected positive"),
        (lambda op: thzum.pilot_operator(np.ones((1, 2, 4)), 2, 2, "white"), "noise_model: expected 'per_slot' or 'common', got 'white'"),
        (lambda op: thzum.pilot_operator.hadamard(**{**HADAMARD, "cols": 3}), "power of two, got 4 [*] 3 = 12"),
        (lambda op: thzum.pilot_operator.hadamard(**{**HADAMARD, "n_slots": 17}), "n_slots expects a number from 1 to 16, got 17"),
        (lambda op: thzum.dictionary("fourier", 4, 4), "'identity' 'dft' 'visible_region', got 'fourier'"),
        (lambda op: thzum.dictionary("dft", 4, -1), "cols expects a positive integer, got -1"),
        (lambda op: thzum.dictionary("visible_region", 4, 4, np.nan), "spacing"),
        (lambda op: thzum.visible_region(16, 16).image(np.zeros(99)), "c: expected complex64"),
        (lambda op: thzum.visible_region(16, 16).from_image(np.zeros((2, 12, 12), complex)), "image: expected values that convert to float32"),
        (lambda op: thzum.observation_model(op, thzum.dictionary("dft", 2, 8)), "4 x 4, got 2 x 8"),
    ],
)  # fmt: skip
def test_bad_input_names_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call(thzum.pilot_operator.hadamard(**HADAMARD))


def test_any_layout_and_number_type_is_taken():
    op = thzum.pilot_operator.hadamard(**HADAMARD)
    h = complex_normal(np.random.default_rng(6), 6, 16)
    expected = op.measure(h)
    assert np.array_equal(op.measure(np.asfortranarray(h)), expected)
    assert np.array_equal(op.measure(h[::2]), expected[::2])
    assert np.array_equal(op.measure(h.astype(complex)), expected)
    assert np.array_equal(op.measure(h.tolist()), expected)
    assert op.measure(np.zeros((0, 16))).shape == (0, 8)
    assert op.measure(np.ones(16, int)).dtype == np.complex64
