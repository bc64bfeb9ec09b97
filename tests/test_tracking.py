# SPDX-License-Identifier: GPL-3.0-or-later
"""Tracking over frames: work saved, accuracy kept, jumps, several users."""

import numpy as np
import pytest

from gnuradio import thzum
from gnuradio.thzum.array import array_preset
from gnuradio.thzum.channel import PathTable, response

ARRAY = array_preset("thz300_aosa4x256")
OPERATOR = thzum.pilot_operator.hadamard(ARRAY.n_subarrays, ARRAY.rows, ARRAY.cols, 128, seed=3)
COHERENT, FREE = dict(array=ARRAY), dict(spacing=ARRAY.spacing)


def path_table(rng, batch, count=4):
    return PathTable(
        amplitude=rng.uniform(0.4, 1.0, (batch, count)),
        delay=rng.uniform(20e-9, 40e-9, (batch, count)),
        distance=rng.uniform(6.0, 20.0, (batch, count)),
        elevation=np.arcsin(rng.uniform(0.1, 0.8, (batch, count))),
        azimuth=rng.uniform(0, 2 * np.pi, (batch, count)),
        near=np.ones((batch, count), bool),
        doppler=rng.uniform(-1e3, 1e3, (batch, count)),
    )


def observe(h, noise_var, rng):
    noise = rng.normal(size=(len(h), OPERATOR.n_observations, 2)) @ [1, 1j]
    return (OPERATOR.measure(h) + np.sqrt(noise_var / 2) * noise).astype(np.complex64)


def nmse(h_hat, h):
    return np.linalg.norm(h_hat - h, axis=-1) ** 2 / np.linalg.norm(h, axis=-1) ** 2


def pair(name, streams, **options):
    """A cold and a tracking estimator."""
    cold, warm = (thzum.estimator(name, OPERATOR, **options) for _ in range(2))
    return cold, thzum.tracking_estimator(warm, streams)


CASES = [
    # name, options, noise variance, largest share of the steps that is left on a channel that stands still
    ("newtonized_omp", COHERENT, 0.05, 0.35),
    ("newtonized_omp", FREE, 0.05, 0.8),
    ("fpn_oamp", {}, 0.05, 0.8),
    ("oamp", {}, 0.05, 1.0),
]


@pytest.mark.parametrize("name, options, noise_var, share", CASES)
def test_a_channel_that_stands_still_needs_fewer_steps(name, options, noise_var, share):
    rng = np.random.default_rng(0)
    h = response(ARRAY, path_table(rng, 4))
    cold, tracking = pair(name, 4, **options)
    errors, steps = [], []
    for frame in range(5):
        y = observe(h, noise_var, rng)
        (h_cold, r_cold), (h_warm, r_warm) = cold.estimate(y, noise_var), tracking.estimate(y, noise_var)
        if frame == 0:
            np.testing.assert_array_equal(h_warm, h_cold)
            np.testing.assert_array_equal(r_warm["steps"], r_cold["steps"])
            assert not r_warm["steps_saved"].any()
            first = r_cold["steps"]
            continue
        np.testing.assert_array_equal(r_warm["steps_saved"], first - r_warm["steps"])
        errors.append([np.mean(nmse(h_cold, h)), np.mean(nmse(h_warm, h))])
        steps.append([np.mean(r_cold["steps"]), np.mean(r_warm["steps"])])
    (error_cold, error_warm), (steps_cold, steps_warm) = np.mean(errors, axis=0), np.mean(steps, axis=0)
    assert steps_warm < share * steps_cold if share < 1 else steps_warm <= steps_cold
    # The same noise: the two estimates differ by where they stop, which costs far less than 0.2 dB.
    assert error_warm < 1.05 * error_cold


def test_motion_is_followed():
    # At 1 kHz of Doppler, 1 m/s, a frame of 0.2 ms turns the gains by up to 1.3 rad and moves directions little.
    rng = np.random.default_rng(1)
    paths, noise_var = path_table(rng, 12), 0.05
    cold, tracking = pair("newtonized_omp", 12, **COHERENT)
    errors, steps = [], []
    for frame in range(6):
        h = response(ARRAY, paths, time=2e-4 * frame)
        paths.azimuth += 2e-4
        y = observe(h, noise_var, rng)
        (h_cold, r_cold), (h_warm, r_warm) = cold.estimate(y, noise_var), tracking.estimate(y, noise_var)
        if frame:
            errors.append([np.mean(nmse(h_cold, h)), np.mean(nmse(h_warm, h))])
            steps.append([np.mean(r_cold["steps"]), np.mean(r_warm["steps"])])
    (error_cold, error_warm), (steps_cold, steps_warm) = np.mean(errors, axis=0), np.mean(steps, axis=0)
    # A wavefront taken for its neighbour costs a channel a factor of about two, in tracking for several frames:
    # two of twelve more or fewer of these make a sixth.
    assert error_warm < 1.2 * error_cold and steps_warm < 0.4 * steps_cold


def test_tracking_starts_over_now_and_then():
    rng = np.random.default_rng(8)
    h = response(ARRAY, path_table(rng, 1))
    _, tracking = pair("newtonized_omp", 1, **COHERENT)
    y = observe(np.repeat(h, 33, axis=0), 0.05, rng)
    _, report = tracking.estimate(y, 0.05, stream=np.zeros(33, int))
    assert np.flatnonzero(report["steps_saved"] == 0).tolist() == [0, 16, 32]


@pytest.mark.parametrize("name, options, noise_var, share", CASES)
def test_a_jump_is_recovered_from_within_the_frame(name, options, noise_var, share):
    rng = np.random.default_rng(2)
    cold, tracking = pair(name, 8, **options)
    tracking.estimate(observe(response(ARRAY, path_table(rng, 8)), noise_var, rng), noise_var)
    h = response(ARRAY, path_table(rng, 8))
    y = observe(h, noise_var, rng)
    h_cold, _ = cold.estimate(y, noise_var)
    h_warm, _ = tracking.estimate(y, noise_var)
    assert np.mean(nmse(h_warm, h)) < 1.05 * np.mean(nmse(h_cold, h))


def test_paths_come_and_go():
    rng = np.random.default_rng(3)
    paths, noise_var = path_table(rng, 4, 5), 0.05
    cold, tracking = pair("newtonized_omp", 4, **COHERENT)
    amplitude = paths.amplitude.copy()
    for frame, present in enumerate(([0, 1, 2, 3], [0, 1, 2], [1, 2], [1, 2, 4], [0, 1, 2, 3, 4])):
        paths.amplitude = np.where(np.isin(np.arange(5), present), amplitude, 0.0)
        h = response(ARRAY, paths)
        y = observe(h, noise_var, rng)
        (h_cold, r_cold), (h_warm, r_warm) = cold.estimate(y, noise_var), tracking.estimate(y, noise_var)
        assert np.mean(nmse(h_warm, h)) < 1.1 * np.mean(nmse(h_cold, h))
        assert np.mean(np.abs(r_warm["iterations"] - r_cold["iterations"])) <= 0.5


@pytest.mark.parametrize("name, options", [("newtonized_omp", COHERENT), ("fpn_oamp", {})])
def test_users_do_not_mix(name, options):
    rng = np.random.default_rng(4)
    h = response(ARRAY, path_table(rng, 2))
    apart = [pair(name, 1, **options)[1] for _ in range(2)]
    _, together = pair(name, 2, **options)
    y = np.stack([observe(h, 0.05, rng) for _ in range(3)])  # [frame, user, M]
    expected = [[apart[user].estimate(y[frame, user], 0.05)[0] for user in range(2)] for frame in range(3)]
    # All frames in one call, the users in turn, and one without tracking in between.
    order = np.concatenate([y.reshape(6, -1), y[0]])
    h_hat, report = together.estimate(order, 0.05, stream=[0, 1, 0, 1, 0, 1, 0, 1])
    np.testing.assert_allclose(h_hat[:6], np.reshape(expected, (6, -1)), rtol=1e-4, atol=1e-4)
    together.reset(1)
    _, report = together.estimate(order[:2], 0.05)
    assert report["steps_saved"][0] > 0 and report["steps_saved"][1] == 0
    together.reset()
    _, report = together.estimate(order[:2], 0.05)
    assert not report["steps_saved"].any()


def test_scale_and_phase_of_a_receiver_do_not_matter():
    rng = np.random.default_rng(5)
    h = response(ARRAY, path_table(rng, 2))
    _, tracking = pair("fpn_oamp", 2)
    first, second = observe(h, 0.05, rng), observe(h, 0.05, rng)
    tracking.estimate(first, 0.05)
    plain, report = tracking.estimate(second, 0.05)
    for factor in (300, 300j):
        tracking.reset()
        tracking.estimate(first, 0.05)
        other, other_report = tracking.estimate(factor * second, 0.05 * 9e4)
        # A network is not the same for turned input, but as good.
        assert np.mean(nmse(other, factor * h)) < 1.1 * np.mean(nmse(plain, h))
        np.testing.assert_array_equal(other_report["steps"], report["steps"])
        if factor == 300:
            np.testing.assert_allclose(other, factor * plain, rtol=1e-3, atol=300 * 1e-3)


def test_a_frame_of_zeros_keeps_what_is_known():
    rng = np.random.default_rng(6)
    h = response(ARRAY, path_table(rng, 1))
    _, tracking = pair("newtonized_omp", 1, **COHERENT)
    tracking.estimate(observe(h, 0.05, rng), 0.05)
    nothing, _ = tracking.estimate(np.zeros((1, OPERATOR.n_observations), np.complex64), 0.05)
    assert not nothing.any()
    _, report = tracking.estimate(observe(h, 0.05, rng), 0.05)
    assert report["steps_saved"][0] > 0


def test_estimators_without_warm_start_run_as_they_are():
    rng = np.random.default_rng(7)
    y = observe(response(ARRAY, path_table(rng, 2)), 0.05, rng)
    cold, tracking = pair("ls", 2)
    for _ in range(2):
        h_hat, report = tracking.estimate(y, 0.05)
        np.testing.assert_array_equal(h_hat, cold.estimate(y, 0.05)[0])
        assert not report["steps_saved"].any() and np.all(report["steps"] == 1)


def test_bad_input_is_refused():
    estimator = thzum.estimator("ls", OPERATOR)
    for streams in (0, -1, 65537):
        with pytest.raises(ValueError, match="streams"):
            thzum.tracking_estimator(estimator, streams)
    with pytest.raises((ValueError, TypeError)):
        thzum.tracking_estimator(None)
    tracking = thzum.tracking_estimator(estimator, 2)
    y = np.ones((3, OPERATOR.n_observations), np.complex64)
    with pytest.raises(ValueError, match="stream: expected one for each"):
        tracking.estimate(y, 0.1)
    for stream in ([0, 1], [0, 1, 2], [0, 1, -1], [0.0, 1.0, 0.5], "a"):
        with pytest.raises(ValueError, match="stream"):
            tracking.estimate(y, 0.1, stream=stream)
    with pytest.raises(ValueError, match="stream"):
        tracking.reset(2)
