# SPDX-License-Identifier: GPL-3.0-or-later
"""Newtonized OMP: paths off the grid, false alarms, the error that estimation theory predicts, wavefronts."""

import numpy as np
import pytest

from gnuradio import thzum
from gnuradio.thzum.array import SubarrayArray, array_preset
from gnuradio.thzum.channel import PathTable, preset, response
from gnuradio.thzum.channel.native import native_model

ARRAY = array_preset("thz300_aosa4x256")
SMALL = SubarrayArray(1, 2, 8, 8, carrier_frequency=300e9, spacing=0.25, gap=20.0)


def operator(array=ARRAY, n_slots=None, seed=3):
    n_slots = n_slots or array.rows * array.cols // 2
    return thzum.pilot_operator.hadamard(array.n_subarrays, array.rows, array.cols, n_slots, seed=seed)


def estimator(op, array=ARRAY, coherent=False, **options):
    known = dict(array=array) if coherent else dict(spacing=array.spacing)
    return thzum.estimator("newtonized_omp", op, **known, **options)


def complex_normal(rng, *shape):
    return (rng.normal(size=shape) + 1j * rng.normal(size=shape)) / np.sqrt(2)


def waves(array, directions, gains):
    """Channels of plane waves of direction cosines [L, 2] with free gains [L, S]."""
    row, col = np.indices((array.rows, array.cols))
    h = np.zeros((array.n_subarrays, array.rows, array.cols), complex)
    for (ux, uy), gain in zip(directions, gains):
        h += gain[:, None, None] * np.exp(2j * np.pi * array.spacing * (ux * col + uy * row))
    return h.reshape(1, -1).astype(np.complex64)


def relative_error(h_hat, h):
    return np.linalg.norm(h_hat - h) / np.linalg.norm(h)


def nmse(h_hat, h):
    return np.mean(np.linalg.norm(h_hat - h, axis=1) ** 2 / np.linalg.norm(h, axis=1) ** 2)


def test_waves_off_the_grid_are_recovered_without_noise():
    rng = np.random.default_rng(0)
    directions = np.array([[0.31, -0.42], [-0.55, 0.12], [0.1, 0.77]])
    h = waves(ARRAY, directions, complex_normal(rng, 3, 4) + 1)
    est = estimator(operator(), steps=5, final_steps=20)
    h_hat, report = est.estimate(operator().measure(h), 1e-7)
    # The visible region keeps all but -48 dB of a wave, which is what bounds the error.
    assert report["iterations"][0] >= 3
    assert relative_error(h_hat, h) < 10 ** (-45 / 20)
    found = est.paths()
    order = [np.argmin(np.hypot(found["ux"] - ux, found["uy"] - uy)) for ux, uy in directions]
    np.testing.assert_allclose(found["ux"][order], directions[:, 0], atol=2e-3)
    np.testing.assert_allclose(found["uy"][order], directions[:, 1], atol=2e-3)
    assert np.isnan(found["distance"]).all() and not found["coherent"].any()
    assert (np.diff(found["power"][:4]) <= 0).all()


@pytest.mark.parametrize("n_slots", [128, 77])
def test_waves_within_a_beam_width_are_told_apart(n_slots):
    # Beam width 1 / (16 * 0.2) = 0.31; a peak on the grid cannot separate these two.
    rng = np.random.default_rng(1)
    op = operator(n_slots=n_slots)
    directions = np.array([[0.1, 0.2], [0.1 + 0.17, 0.2]])
    h = waves(ARRAY, directions, np.exp(2j * np.pi * rng.random((2, 4))))
    noise_var = 10**-2.5
    y = op.measure(h + (np.sqrt(noise_var) * complex_normal(rng, *h.shape)).astype(np.complex64))
    est = estimator(op)
    h_hat, _ = est.estimate(y, noise_var)
    found = est.paths()
    for direction in directions:
        assert np.min(np.hypot(*(np.stack([found["ux"], found["uy"]]) - direction[:, None]))) < 0.03
    assert nmse(h_hat, h) < 10**-2.8


def test_noise_alone_passes_for_a_path_as_rarely_as_asked():
    rng = np.random.default_rng(2)
    op, count, rate = operator(SMALL), 2000, 0.05
    y = op.measure(complex_normal(rng, count, SMALL.n_antennas).astype(np.complex64))
    est = estimator(op, SMALL, false_alarm=rate, max_paths=1)
    false_alarms = np.mean(est.estimate(y, 1.0)[1]["iterations"])
    # The threshold counts peaks, of which there may be two, and leaves out the rim of the disc.
    deviation = np.sqrt(rate * (1 - rate) / count)
    assert 0.6 * rate - 4 * deviation < false_alarms < 1.3 * rate + 4 * deviation


def random_paths(rng, batch, distance, n_paths=3):
    """Well separated paths from one of a few directions each."""
    corner = np.array([[0.5, 0.5], [-0.5, 0.4], [0.1, -0.6]])[:n_paths] + rng.uniform(-0.1, 0.1, (batch, n_paths, 2))
    sin_el = np.hypot(corner[..., 0], corner[..., 1])
    shape = (batch, n_paths)
    return PathTable(
        amplitude=rng.uniform(0.6, 1.0, shape),
        delay=rng.uniform(90e-9, 110e-9, shape),
        distance=np.broadcast_to(distance, shape).astype(float),
        elevation=np.arcsin(sin_el),
        azimuth=np.arctan2(corner[..., 1], corner[..., 0]),
        near=np.broadcast_to(np.asarray(distance) < ARRAY.rayleigh_distance(), shape),
    )


@pytest.mark.parametrize("coherent, parameters", [(False, 10), (True, 5)])
def test_error_is_that_of_maximum_likelihood(coherent, parameters):
    # p real parameters cost p/2 noise_var in the pilots; half of the energy is observed, so twice that in h.
    rng = np.random.default_rng(3)
    h = response(ARRAY, random_paths(rng, 120, 12.0 if coherent else 1e4))
    op, noise_var = operator(), 10**-2.0
    y = op.measure(h + (np.sqrt(noise_var) * complex_normal(rng, *h.shape)).astype(np.complex64))
    h_hat, report = estimator(op, coherent=coherent).estimate(y, noise_var)
    assert np.mean(report["iterations"] == 3) > 0.9
    predicted = 3 * parameters / 2 * noise_var * 2 / ARRAY.n_antennas
    # 120 channels of 15 or more degrees of freedom each: 5 % standard deviation; a wrong ambiguity costs more.
    assert 0.8 * predicted < nmse(h_hat, h) < 1.5 * predicted


def test_coherent_paths_tell_direction_and_distance():
    rng = np.random.default_rng(4)
    # Four subarrays in a square tell the distance from the product ux uy alone, so both paths are oblique.
    paths = random_paths(rng, 20, np.array([6.0, 9.0]), n_paths=2)
    h = response(ARRAY, paths)
    op, noise_var = operator(), 10**-3.0
    y = op.measure(h + (np.sqrt(noise_var) * complex_normal(rng, *h.shape)).astype(np.complex64))
    est = estimator(op, coherent=True, max_batch=20)
    est.estimate(y, noise_var)
    middle = ARRAY.subarray_centres().mean(0)
    right = 0
    for item in range(20):
        found = est.paths(item)
        source = paths.source_positions()[item] - np.append(middle, 0.0)
        distance = np.linalg.norm(source, axis=1)
        for direction, away in zip(source / distance[:, None], distance):
            k = np.argmin(np.hypot(found["ux"] - direction[0], found["uy"] - direction[1]))
            if found["coherent"][k]:
                right += abs(found["distance"][k] * ARRAY.wavelength / away - 1) < 0.1
    # Some paths stay free or at a wrong ambiguity; three in four have their distance to 10 %.
    assert right > 0.75 * 40


def test_incoherent_subarrays_keep_their_free_gains():
    rng = np.random.default_rng(5)
    h = waves(ARRAY, [[0.2, 0.3], [-0.4, 0.1]], np.exp(2j * np.pi * rng.random((2, 4))) * [[1, 0.2, 0.7, 1.4]])
    op, noise_var = operator(), 10**-2.5
    y = op.measure(h + (np.sqrt(noise_var) * complex_normal(rng, *h.shape)).astype(np.complex64))
    free, _ = estimator(op).estimate(y, noise_var)
    coherent, _ = estimator(op, coherent=True).estimate(y, noise_var)
    np.testing.assert_allclose(nmse(coherent, h), nmse(free, h), rtol=0.3)


def test_complex_combiners_and_any_gain():
    rng = np.random.default_rng(6)
    combiner = np.exp(2j * np.pi * rng.random((2, 40, 64))).astype(np.complex64) / 8
    op = thzum.pilot_operator(combiner, rows=8, cols=8)
    h = waves(SMALL, [[0.3, -0.2], [-0.6, 0.4]], complex_normal(rng, 2, 2) + 1)
    y = op.measure(h)
    y = y + (0.03 * complex_normal(rng, *y.shape)).astype(np.complex64)
    one, _ = estimator(op, SMALL).estimate(y, 9e-4)
    large, _ = estimator(op, SMALL).estimate(1000 * y, 9e2)
    assert nmse(one, h) < 10**-2.5
    # Rounding decides on steps that gain next to nothing: the tolerance is half of the error made anyway.
    np.testing.assert_allclose(large / 1000, one, atol=4e-3)


def test_items_of_a_batch_do_not_mix():
    h = native_model(preset("thz300_aosa4x256")).sample(5, seed=1)
    op = operator()
    y = op.measure(h)
    y[2] = 0
    together, report = estimator(op).estimate(y, 0.01)
    assert not together[2].any() and report["iterations"][2] <= 1
    for k in (0, 1, 3, 4):
        np.testing.assert_allclose(together[k], estimator(op).estimate(y[k], 0.01)[0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "options, message",
    [
        (dict(subarray_centres=np.zeros(3, complex)), "subarray_centres: expected one complex"),
        (dict(max_paths=0), "max_paths"),
        (dict(false_alarm=0.9), "false_alarm"),
        (dict(candidates=1000), "candidates"),
        (dict(nonsense=1), "nonsense"),
        (dict(array=4), "array: expected a SubarrayArray"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        thzum.estimator("newtonized_omp", operator(), **options)
