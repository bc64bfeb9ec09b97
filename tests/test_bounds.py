# SPDX-License-Identifier: GPL-3.0-or-later
"""Genies and Cramer-Rao bounds: closed forms, their order, finite differences, and the estimator they bound."""

import dataclasses

import numpy as np
import pytest

from gnuradio import thzum
from gnuradio.thzum import bounds
from gnuradio.thzum.array import SubarrayArray, array_preset
from gnuradio.thzum.channel import PathTable, response

ARRAY = array_preset("thz300_aosa4x256")
SMALL = SubarrayArray(1, 3, 8, 8, carrier_frequency=300e9, spacing=0.25, gap=14.0)


def complex_normal(rng, *shape):
    return (rng.normal(size=shape) + 1j * rng.normal(size=shape)) / np.sqrt(2)


def three_paths(rng, batch, array=ARRAY, distance=12.0):
    """Well separated paths."""
    corner = np.array([[0.5, 0.5], [-0.5, 0.4], [0.1, -0.6]]) + rng.uniform(-0.1, 0.1, (batch, 3, 2))
    shape = (batch, 3)
    return PathTable(
        amplitude=rng.uniform(0.6, 1.0, shape),
        delay=rng.uniform(90e-9, 110e-9, shape),
        distance=np.full(shape, distance),
        elevation=np.arcsin(np.hypot(corner[..., 0], corner[..., 1])),
        azimuth=np.arctan2(corner[..., 1], corner[..., 0]),
        near=np.full(shape, distance < array.rayleigh_distance()),
    )


def operator(array=ARRAY, seed=3):
    size = array.rows * array.cols
    return thzum.pilot_operator.hadamard(array.n_subarrays, array.rows, array.cols, size // 2, seed=seed)


def noisy(op, h, noise_var, rng):
    clean = op.measure(h)
    return (clean + np.sqrt(noise_var) * complex_normal(rng, *clean.shape)).astype(np.complex64)


def errors_of(h_hat, h):
    return np.linalg.norm(h_hat - h, axis=1) ** 2 / np.linalg.norm(h, axis=1) ** 2


def test_paths_add_up_to_the_channel():
    paths = three_paths(np.random.default_rng(0), 4)
    waves = bounds.path_responses(ARRAY, paths)
    assert waves.shape == (4, 3, 4, 256)
    np.testing.assert_allclose(waves.sum(axis=1).reshape(4, -1), response(ARRAY, paths), atol=1e-4)


@pytest.mark.parametrize("noise_model", ["per_slot", "common"])
@pytest.mark.parametrize("model, unknowns", [("free", 12), ("coherent", 3)])
def test_genie_s_error_is_its_closed_form(model, unknowns, noise_model):
    rng = np.random.default_rng(1)
    combiner = rng.choice([-1.0, 1.0], (4, 128, 256)).astype(np.complex64) / 16
    op = thzum.pilot_operator(combiner, rows=16, cols=16, noise_model=noise_model)
    paths, batch, noise_var = three_paths(rng, 60), 60, 0.05
    h = response(ARRAY, paths)
    if noise_model == "common":
        y = op.measure((h + np.sqrt(noise_var) * complex_normal(rng, *h.shape)).astype(np.complex64))
    else:
        y = noisy(op, h, noise_var, rng)
    genies = [bounds.Genie(op, waves, model) for waves in bounds.path_responses(ARRAY, paths)]
    measured = np.mean(errors_of(np.array([g.estimate(one) for g, one in zip(genies, y)]), h))
    expected = np.mean([g.error(noise_var) for g in genies])
    # A sum of 60 times that many exponential variables; four standard deviations, weights uneven by some 10 %.
    assert measured == pytest.approx(expected, rel=4 * 1.1 / np.sqrt(batch * unknowns))


def test_orthonormal_waves_cost_noise_by_the_unknown():
    """Everything observed: noise_var times the unknowns over the antennas, whatever the waves are."""
    op = thzum.pilot_operator.hadamard(3, 8, 8, 64, seed=1)
    waves = bounds.path_responses(SMALL, three_paths(np.random.default_rng(2), 1, SMALL, 0.5))[0]
    for model, unknowns in (("free", 9), ("coherent", 3)):
        assert bounds.Genie(op, waves, model).error(0.1) == pytest.approx(0.1 * unknowns / 192, rel=1e-4)


def test_estimator_stays_above_the_genie_and_reaches_the_bound():
    rng = np.random.default_rng(3)
    op = operator()
    # Free gains go with one direction for all subarrays, which sources have that are far.
    for model, distance, options in (
        ("free", 1e4, dict(spacing=ARRAY.spacing)),
        ("coherent", 12.0, dict(array=ARRAY)),
    ):
        paths = three_paths(rng, 100, distance=distance)
        h, waves = response(ARRAY, paths), bounds.path_responses(ARRAY, paths)
        est = thzum.estimator("newtonized_omp", op, final_steps=8, **options)
        genies = [bounds.Genie(op, w, model) for w in waves]
        limit = np.mean(bounds.cramer_rao(op, ARRAY, paths, model))
        measured = []
        for snr_db in (10, 20):
            noise_var = 10 ** (-snr_db / 10)
            found = np.median(errors_of(est.estimate(noisy(op, h, noise_var, rng), noise_var)[0], h))
            assert found > np.mean([g.error(noise_var) for g in genies])
            measured.append(found / noise_var)
            # The median of a sum of 15 or more squares is 5 % below its mean; a wrong lobe or a missed path costs.
            assert 0.8 < found / (noise_var * limit) < 1.3
        # The error falls as the noise does; 100 channels: 4 % for each median.
        assert measured[1] == pytest.approx(measured[0], rel=0.25)


def test_knowing_more_is_better():
    rng = np.random.default_rng(4)
    op, paths = operator(), three_paths(rng, 5)
    waves = bounds.path_responses(ARRAY, paths)
    genie = {m: np.array([bounds.Genie(op, w, m).error(0.1) for w in waves]) for m in bounds.MODELS}
    bound = {m: bounds.cramer_rao(op, ARRAY, paths, m, 0.1) for m in bounds.MODELS}
    assert (genie["coherent"] < genie["free"]).all() and (bound["coherent"] < bound["free"]).all()
    for model in bounds.MODELS:
        assert (genie[model] < bound[model]).all()
        np.testing.assert_allclose(bounds.cramer_rao(op, ARRAY, paths, model, 0.2), 2 * bound[model], rtol=1e-9)
    # Well separated paths share little: p real parameters each, seen at half their energy, within 20 %.
    np.testing.assert_allclose(bound["free"], 0.1 * 3 * 10 / 1024, rtol=0.2)
    np.testing.assert_allclose(bound["coherent"], 0.1 * 3 * 5 / 1024, rtol=0.2)


@pytest.mark.parametrize("distance", [0.5, 1e3])
def test_jacobian_is_the_finite_difference(distance):
    """Directions and distances move as seen from the middle of the array."""
    paths = three_paths(np.random.default_rng(5), 1, SMALL, distance)
    columns = bounds.jacobian(SMALL, paths, "coherent")[0].reshape(192, 3, 5)
    middle = np.append(SMALL.element_positions().reshape(192, -1)[:, :2].mean(axis=0), 0.0)
    norm = np.linalg.norm(response(SMALL, paths)) / np.linalg.norm(raw_response(paths))

    def moved(path, parameter, step):
        source = paths.source_positions()[0, path] - (middle if paths.near[0, path] else 0.0)
        away = np.linalg.norm(source)
        u, kappa = source / away, 1 / away
        if parameter < 2:
            u = u + step * np.eye(3)[parameter]
        else:
            kappa = kappa + step / SMALL.wavelength
        u[2] = np.sqrt(1 - u[0] ** 2 - u[1] ** 2)
        place = u / kappa + (middle if paths.near[0, path] else 0.0)
        length = np.linalg.norm(place)
        return changed(
            paths,
            path,
            distance=length,
            elevation=np.arccos(place[2] / length),
            azimuth=np.arctan2(place[1], place[0]),
        )

    wave = bounds.path_responses(SMALL, paths)[0].reshape(3, 192)
    for path in range(3):
        np.testing.assert_allclose(columns[:, path, 3], wave[path], rtol=1e-9)
        np.testing.assert_allclose(columns[:, path, 4], 1j * wave[path], rtol=1e-9)
        for parameter in range(3 if paths.near.all() else 2):
            step = 1e-5 if parameter < 2 else 1e-7
            slope = (raw_response(moved(path, parameter, step)) - raw_response(moved(path, parameter, -step))) / (
                2 * step / norm
            )
            # A change of the gain by a complex factor is spanned by the last two columns: the phase of the middle
            # counts from another place in the path table.
            rest = [slope - wave[path] * np.vdot(wave[path], slope) / np.vdot(wave[path], wave[path])]
            column = columns[:, path, parameter]
            rest.append(column - wave[path] * np.vdot(wave[path], column) / np.vdot(wave[path], wave[path]))
            assert np.linalg.norm(rest[0] - rest[1]) < 2e-2 * np.linalg.norm(rest[1])


def raw_response(paths):
    """Channel of the first item without scaling its norm, complex128 [N]."""
    return bounds.subarray_waves(SMALL, paths).sum()[0].ravel()


def changed(paths, path, **values):
    fields = {name: getattr(paths, name).copy() for name in values}
    for name, value in values.items():
        fields[name][0, path] = value
    return dataclasses.replace(paths, **fields)


def test_fully_digital_lmmse():
    rng = np.random.default_rng(6)
    root = complex_normal(rng, 6, 3)
    covariance = root @ root.conj().T
    expected = np.trace(covariance - covariance @ np.linalg.inv(covariance + 0.2 * np.eye(6)) @ covariance)
    assert bounds.fully_digital_lmmse(covariance, 0.2) == pytest.approx(expected.real / np.trace(covariance).real)


def test_what_does_not_fit_is_refused():
    op, paths = operator(), three_paths(np.random.default_rng(7), 1)
    waves = bounds.path_responses(ARRAY, paths)[0]
    with pytest.raises(ValueError, match="model: expected one of"):
        bounds.Genie(op, waves, "half")
    with pytest.raises(ValueError, match="model: expected one of"):
        bounds.cramer_rao(op, ARRAY, paths, "half")
    with pytest.raises(ValueError, match="waves: expected"):
        bounds.Genie(op, waves[:, :2], "free")
