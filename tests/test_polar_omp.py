# SPDX-License-Identifier: GPL-3.0-or-later
"""polar_omp and hybrid_omp: sources on and off the polar grid, the NumPy oracle, and what they refuse."""

import numpy as np
import pytest

from gnuradio import thzum
from gnuradio.thzum.array import SubarrayArray, array_preset
from oracles import estimation
from oracles import polar_omp as oracle

ARRAY = array_preset("thz300_aosa4x256")
SMALL = SubarrayArray(1, 3, 8, 8, carrier_frequency=300e9, spacing=0.25, gap=14.0)
# Subarrays a beam width's inverse apart from each other: no lobes that could be confused.
DENSE = SubarrayArray(1, 5, 8, 8, carrier_frequency=300e9, spacing=0.25, gap=2.0)
NEAREST = 300.0  # wavelengths, a third of the small array's Rayleigh distance
GRID = dict(oversampling=2.0, min_distance=NEAREST, ring_cycles=0.2)
NAMES = ["polar_omp", "hybrid_omp"]


def complex_normal(rng, *shape):
    return (rng.normal(size=shape) + 1j * rng.normal(size=shape)) / np.sqrt(2)


def combiner_of(kind, rng, array=SMALL, n_slots=40):
    shape = (array.n_subarrays, n_slots, array.rows * array.cols)
    one_bit = rng.choice([-1.0, 1.0], shape)
    return (one_bit if kind == "real" else np.exp(2j * np.pi * rng.random(shape))) / np.sqrt(shape[-1])


def operator(kind="real", rng=None, noise_model="per_slot"):
    rng = rng or np.random.default_rng(1)
    combiner = combiner_of(kind, rng).astype(np.complex64)
    return thzum.pilot_operator(combiner, rows=SMALL.rows, cols=SMALL.cols, noise_model=noise_model)


def oracle_model(op, array=SMALL):
    dictionary = thzum.dictionary("visible_region", array.rows, array.cols, spacing=array.spacing)
    atoms = dictionary.synthesize(np.eye(dictionary.coefficients, dtype=np.complex64)).T
    return estimation.Model(op.combiner, atoms, op.noise_model)


def channel(array, waves, gains):
    """Sum of spherical waves, complex64 [1, N], and scaled to the power that estimators expect."""
    h = sum(gain * oracle.spherical_wave(array, *wave).ravel() for wave, gain in zip(waves, gains))
    return (h * np.sqrt(h.size) / np.linalg.norm(h)).astype(np.complex64)[None]


def relative_error(h_hat, h):
    return np.linalg.norm(h_hat - h) / np.linalg.norm(h)


@pytest.fixture(scope="module")
def grid():
    return oracle.grid(SMALL, **GRID)


def apart(grid, rng, count, curved=None):
    """Atoms of the grid in separate beams of a subarray, within 40 degrees of the normal."""
    corners = np.array([[0.4, 0.4], [-0.5, 0.2], [0.1, -0.5]])[:count]
    found = []
    for k, corner in enumerate(corners):
        near = np.flatnonzero(np.hypot(*(grid[:, :2] - corner).T) < 0.12)
        if curved is not None:
            near = near[(grid[near, 2] > 0) == curved[k]]
        found.append(rng.choice(near))
    return found


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("name", NAMES)
def test_sources_on_the_grid_are_recovered(grid, name, kind):
    rng = np.random.default_rng(2)
    op = operator(kind)
    chosen = apart(grid, rng, 3, curved=[False, True, True])
    gains = np.array([1.0, 0.7j, -0.4])
    h = channel(SMALL, grid[chosen], gains)
    shares = dict(far_share=1 / 3) if name == "hybrid_omp" else {}
    est = thzum.estimator(name, op, array=SMALL, max_atoms=3, **shares, **GRID)
    h_hat, report = est.estimate(op.measure(h), 1e-7)
    assert report["iterations"] == 3
    # The visible region keeps all but -48 dB of a wave.
    assert relative_error(h_hat, h) < 10 ** (-44 / 20)
    found = est.paths()
    order = [np.argmin(np.hypot(found["ux"] - ux, found["uy"] - uy)) for ux, uy, _ in grid[chosen]]
    np.testing.assert_allclose(found["ux"][order], grid[chosen, 0], atol=1e-5)
    np.testing.assert_allclose(found["uy"][order], grid[chosen, 1], atol=1e-5)
    np.testing.assert_allclose(1 / found["distance"][order], grid[chosen, 2], atol=1e-7)
    assert np.isinf(found["distance"][order[0]]) and found["coherent"].all()
    ratio = found["gain"][order] / found["gain"][order[0]]
    np.testing.assert_allclose(ratio, gains / gains[0], atol=0.02)


@pytest.mark.parametrize("noise_model", ["per_slot", "common"])
@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("name", NAMES)
def test_estimates_are_the_oracle_s(grid, name, kind, noise_model):
    rng = np.random.default_rng(3)
    op = operator(kind, noise_model=noise_model)
    model = oracle_model(op)
    coefficients, observed = oracle.observed_atoms(model, SMALL, grid)
    far, everything = grid[:, 2] == 0, np.ones(len(grid), bool)
    stages = [(everything, 4)] if name == "polar_omp" else [(far, 2), (~far, 4)]
    est = thzum.estimator(name, op, array=SMALL, max_atoms=4, false_alarm=0.02, **GRID)
    noise_var, same = 0.02, 0
    for _ in range(8):
        h = channel(SMALL, grid[apart(grid, rng, 3)], complex_normal(rng, 3) + 1)
        y = op.measure(h + (np.sqrt(noise_var) * complex_normal(rng, *h.shape)).astype(np.complex64))[0]
        expected, support = oracle.polar_omp(model, y, noise_var, coefficients, observed, stages, 0.02)
        h_hat, report = est.estimate(y, noise_var)
        same += report["iterations"] == len(support) and relative_error(h_hat, expected) < 1e-3
    # The search simplifies the direction inside a subarray, so atoms that are almost level change places. Plane
    # waves on a source that is near are often level.
    assert same >= (7 if name == "polar_omp" else 5)


def test_sources_off_the_grid():
    rng = np.random.default_rng(4)
    op = thzum.pilot_operator.hadamard(5, 8, 8, 40, seed=1)
    fine, errors = dict(oversampling=4.0, min_distance=80.0, ring_cycles=0.1), {0: [], 10: []}
    for _ in range(12):
        wave = np.append(rng.uniform(-0.4, 0.4, 2), rng.uniform(0.2, 0.9) / 80)
        h = channel(DENSE, [wave], [1.0])
        for steps, found in errors.items():
            est = thzum.estimator("polar_omp", op, array=DENSE, max_atoms=1, final_steps=steps, **fine)
            found.append(relative_error(est.estimate(op.measure(h), 1e-6)[0], h))
        paths = est.paths()
        np.testing.assert_allclose([paths["ux"][0], paths["uy"][0]], wave[:2], atol=2e-3)
        assert paths["distance"][0] == pytest.approx(1 / wave[2], rel=0.05)
    # An error d of a direction cosine turns the phase by 2 pi d x: over a grid of steps 1/(4 X), uniform d in
    # +-1/(8 X), and x of deviation X/sqrt(12) or a little more, the rms phase is 2 pi / (8 sqrt 3 sqrt 12) = 0.13
    # for each axis; 0.19 for both, and the ring's below 0.05.
    assert 0.1 < np.sqrt(np.mean(np.square(errors[0]))) < 0.27
    assert np.max(errors[10]) < 10 ** (-40 / 20)


def test_refined_paths_predict_their_error():
    rng = np.random.default_rng(8)
    op, noise_var = thzum.pilot_operator.hadamard(5, 8, 8, 32, seed=1), 0.01
    near = [(0.3, 0.3, 1 / 120), (-0.4, 0.0, 1 / 200)]
    h = np.concatenate([channel(DENSE, near, np.exp(2j * np.pi * rng.random(2))) for _ in range(60)])
    y = op.measure(h + (np.sqrt(noise_var) * complex_normal(rng, *h.shape)).astype(np.complex64))
    fine = dict(oversampling=4.0, min_distance=80.0, ring_cycles=0.1)
    est = thzum.estimator("polar_omp", op, array=DENSE, steps=4, final_steps=10, **fine)
    h_hat, report = est.estimate(y, noise_var)
    assert np.mean(report["iterations"] == 2) > 0.9
    measured = 10 * np.log10(np.mean(np.linalg.norm(h_hat - h, axis=1) ** 2) / h.shape[1])
    # Ten real parameters cost five noise_var, of which the pilots see half; 600 of them: 0.25 dB deviation.
    assert measured == pytest.approx(10 * np.log10(10 * noise_var / h.shape[1]), abs=0.8)
    assert np.median(report["predicted_nmse_db"]) == pytest.approx(measured, abs=0.8)
    on_grid = thzum.estimator("polar_omp", op, array=DENSE).estimate(y, noise_var)[1]
    assert np.isnan(on_grid["predicted_nmse_db"]).all()


def test_false_alarms_are_as_rare_as_promised():
    rng = np.random.default_rng(5)
    op, count, rate = operator(noise_model="common"), 400, 0.1
    y = op.measure(complex_normal(rng, count, SMALL.n_antennas).astype(np.complex64))
    for name in NAMES:
        est = thzum.estimator(name, op, array=SMALL, max_atoms=1, false_alarm=rate, **GRID)
        # The union bound holds for each of the two stages.
        assert np.mean(est.estimate(y, 1.0)[1]["iterations"]) < 2 * rate


def test_hybrid_takes_plane_waves_first(grid):
    rng = np.random.default_rng(6)
    op = operator()
    h = channel(SMALL, grid[apart(grid, rng, 3, curved=[True, True, True])], [1.0, 0.8, 0.9])
    for share, plane in ((0.0, 0), (0.5, 2), (1.0, 4)):
        est = thzum.estimator("hybrid_omp", op, array=SMALL, max_atoms=4, far_share=share, **GRID)
        est.estimate(op.measure(h), 1e-6)
        assert np.sum(np.isinf(est.paths()["distance"])) == plane


def test_the_reference_array_and_one_subarray():
    rng = np.random.default_rng(7)
    op = thzum.pilot_operator.hadamard(4, 16, 16, 128, seed=1)
    h = channel(ARRAY, [(0.2, -0.3, 1 / 8000), (-0.4, 0.1, 0.0)], [1.0, 0.6])
    y = op.measure(h + (0.1 * complex_normal(rng, *h.shape)).astype(np.complex64))
    for name in NAMES:
        est = thzum.estimator(name, op, array=ARRAY, steps=3, final_steps=6)
        h_hat, _ = est.estimate(y, 0.01)
        # Subarrays 59 wavelengths apart leave lobes that are hard to tell: plane-wave errors, but small ones.
        assert relative_error(h_hat, h) < 10 ** (-25 / 20)
    single = SubarrayArray.panel(8, 8, carrier_frequency=300e9, spacing=0.25)
    op = thzum.pilot_operator.hadamard(1, 8, 8, 32, seed=1)
    h = channel(single, [(0.25, -0.5, 0.0)], [1.0])
    h_hat, _ = thzum.estimator("polar_omp", op, spacing=0.25, final_steps=10).estimate(op.measure(h), 1e-6)
    assert relative_error(h_hat, h) < 10 ** (-35 / 20)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "options, message",
    [
        (dict(), "subarray_centres: expected one complex .* got none"),
        (dict(subarray_centres=np.zeros(2, complex)), "subarray_centres: expected one complex .* got 2"),
        (dict(array=SMALL, max_atoms=0), "max_atoms"),
        (dict(array=SMALL, max_atoms=65), "max_atoms"),
        (dict(array=SMALL, oversampling=0.1), "oversampling"),
        (dict(array=SMALL, ring_cycles=0.0), "ring_cycles"),
        (dict(array=SMALL, min_distance=5.0), "min_distance: expected more than the array's radius"),
        (dict(array=SMALL, steps=-1), "steps"),
        (dict(subarray_centres=[-2000, 0, 2000 + 2000j]), "polar grid of at most"),
        (dict(array=SMALL, nonsense=1), "nonsense"),
    ],
)
def test_what_does_not_fit_is_refused(name, options, message):
    with pytest.raises(ValueError, match=message):
        thzum.estimator(name, operator(), **options)


def test_far_share_is_a_share():
    with pytest.raises(ValueError, match="far_share"):
        thzum.estimator("hybrid_omp", operator(), array=SMALL, far_share=1.5)
