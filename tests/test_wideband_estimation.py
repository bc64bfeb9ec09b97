# SPDX-License-Identifier: GPL-3.0-or-later
"""Joint estimation over subcarriers: squint, delays, the error that the number of parameters predicts, smoothing."""

import numpy as np
import pytest

from gnuradio import thzum
from gnuradio.thzum.array import SubarrayArray, array_preset
from gnuradio.thzum.channel import PathTable, response
from gnuradio.thzum.channel.wideband import subcarrier_frequencies

ARRAY = array_preset("thz300_aosa4x256")
SMALL = SubarrayArray(1, 2, 8, 8, carrier_frequency=300e9, spacing=0.25, gap=20.0)
CARRIER, BANDWIDTH = 300e9, 30e9


def operator(array=ARRAY, n_slots=None):
    n_slots = n_slots or array.rows * array.cols // 2
    return thzum.pilot_operator.hadamard(array.n_subarrays, array.rows, array.cols, n_slots, seed=3)


def band(n_subcarriers):
    return subcarrier_frequencies(CARRIER, BANDWIDTH, n_subcarriers)


def joint(op, frequencies, name="newtonized_omp", array=ARRAY, **options):
    return thzum.wideband_estimator(name, op, frequencies, CARRIER, array=array, **options)


def paths(ux, uy, delay, near=False, distance=20.0, amplitude=None):
    """A path table from direction cosines and delays [B, L]."""
    ux, uy, delay = (np.asarray(x, float) for x in (ux, uy, delay))
    return PathTable(
        amplitude=np.ones(ux.shape) if amplitude is None else amplitude,
        delay=delay,
        distance=np.full(ux.shape, distance),
        elevation=np.arcsin(np.hypot(ux, uy)),
        azimuth=np.arctan2(uy, ux),
        near=np.full(ux.shape, near),
    )


def random_paths(rng, batch, count, near=True):
    radius, angle = np.sqrt(rng.uniform(0, 0.7, (batch, count))), rng.uniform(0, 2 * np.pi, (batch, count))
    return paths(
        radius * np.cos(angle), radius * np.sin(angle), rng.uniform(20e-9, 40e-9, (batch, count)), near, 8.0
    )


def observe(op, h, noise_var=0.0, rng=None):
    """Pilots [B, F, M] of channels [B, F, N]; rows are orthonormal, so that antenna noise stays white."""
    y = op.measure(h.reshape(-1, h.shape[-1])).reshape(*h.shape[:-1], -1)
    if noise_var:
        noise = rng.normal(size=y.shape) + 1j * rng.normal(size=y.shape)
        y = y + np.sqrt(noise_var / 2) * noise
    return y.astype(np.complex64)


def nmse(h_hat, h):
    """NMSE [B] over all subcarriers."""
    error, energy = (np.sum(np.abs(x) ** 2, axis=(-1, -2)) for x in (h_hat - h, h))
    return error / energy


def separately(op, y, noise_var, name="newtonized_omp", **options):
    """Every subcarrier as a channel of its own."""
    h_hat, _ = thzum.estimator(name, op, **options).estimate(y.reshape(-1, y.shape[-1]), noise_var)
    return h_hat.reshape(*y.shape[:-1], -1)


@pytest.mark.parametrize("near", [False, True])
def test_one_path_is_found_at_all_subcarriers(near):
    op, f = operator(), band(16)
    h = response(ARRAY, paths([[0.5]], [[-0.6]], [[31.7e-9]], near, 3.0), f)
    h_hat, report = joint(op, f, final_steps=30).estimate(observe(op, h), 1e-6)
    # What bounds the error is what the visible region leaves out, -48 dB on average and more in some directions,
    # and within a subarray the curvature at 3 m, 2 pi 1.6^2 / (2 * 3000) wavelengths = 2.7e-3 rad at its rim.
    assert nmse(h_hat, h)[0] < 10**-4.3
    assert report["iterations"] == 1 or report["predicted_nmse_db"][0] < -45


def test_squint_matters_and_is_followed():
    op, f = operator(), band(16)
    rng = np.random.default_rng(1)
    h = response(ARRAY, random_paths(rng, 2, 3), f)
    y = observe(op, h, 0.1, rng)
    followed, _ = joint(op, f).estimate(y, 0.1)
    ignored, _ = joint(op, CARRIER + 1e-6 * (f - CARRIER)).estimate(y, 0.1)
    assert np.mean(nmse(followed, h)) < 0.2 * np.mean(nmse(ignored, h))


def test_error_is_what_the_number_of_parameters_predicts():
    """With F = 16 and S = 4 a path has 2 + 2 S F real parameters for the subcarriers together when gains are free,
    2 + 3 S with delays, F (2 + 2 S) when each subcarrier is on its own; each costs noise_var / 2 in the pilots and
    twice that in the channel, of which half the dimensions are seen."""
    op, f, noise_var, batch = operator(), band(16), 0.1, 24
    rng = np.random.default_rng(2)
    ux, uy = rng.uniform(-0.6, 0.6, (2, batch, 1))
    h = response(ARRAY, paths(ux, uy, rng.uniform(20e-9, 40e-9, (batch, 1))), f)
    y = observe(op, h, noise_var, rng)

    def expected(parameters):
        return 0.5 * parameters * 2.0 * noise_var / (ARRAY.n_antennas * len(f))

    for options, parameters in ((dict(), 14), (dict(gains="free"), 130)):
        estimator = thzum.wideband_estimator(
            "newtonized_omp", op, f, CARRIER, spacing=ARRAY.spacing, false_alarm=1e-6, **options
        )
        h_hat, report = estimator.estimate(y, noise_var)
        error = nmse(h_hat, h)
        # The mean of chi-square variables, batch * parameters degrees of freedom together, within four standard
        # deviations; the pilots see single directions up to 10 % better or worse than half.
        spread = 4 * np.sqrt(2 / (batch * parameters)) + 0.1
        assert (1 - spread) * expected(parameters) < np.mean(error) < (1 + spread) * expected(parameters)
        # The prediction counts noise alone; what the visible region leaves out, -47 dB, adds 0.9 dB to -41 dB.
        assert abs(10 * np.log10(np.mean(error)) - np.mean(report["predicted_nmse_db"])) < 1.5
    apart = np.mean(nmse(separately(op, y, noise_var, spacing=ARRAY.spacing), h))
    assert apart > 0.8 * expected(160)


def test_with_one_subcarrier_it_is_newtonized_omp():
    op = operator()
    rng = np.random.default_rng(3)
    h = response(ARRAY, random_paths(rng, 6, 3), np.array([CARRIER]))
    y = observe(op, h, 0.03, rng)
    many = dict(steps=10, final_steps=40, spacing=ARRAY.spacing)
    wide, _ = thzum.wideband_estimator("newtonized_omp", op, [CARRIER], CARRIER, **many).estimate(y, 0.03)
    narrow = separately(op, y, 0.03, **many)
    # Both end at the same optimum up to the gain at which steps stop, 0.02 noise_var of about 30 noise_var.
    assert np.median(nmse(wide, narrow)) < 1e-3 * np.median(nmse(narrow, h))


def test_a_subcarrier_that_is_missing_is_filled_in():
    op, f = operator(), band(16)
    rng = np.random.default_rng(4)
    h = response(ARRAY, random_paths(rng, 2, 3), f)
    y = observe(op, h, 0.03, rng)
    whole, _ = joint(op, f).estimate(y, 0.03)
    y[:, [0, 7, 8]] = 0
    holed, _ = joint(op, f).estimate(y, 0.03)
    assert np.all(nmse(holed[:, [7, 8]], h[:, [7, 8]]) < 3 * nmse(whole, h))
    assert np.all(nmse(holed, h) < 3 * nmse(whole, h))
    free, _ = joint(op, f, gains="free").estimate(y, 0.03)
    assert not free[:, [0, 7, 8]].any() and np.all(nmse(free[:, 1:7], h[:, 1:7]) < 0.03)


@pytest.mark.parametrize("gains", ["delay", "free"])
@pytest.mark.parametrize("n_subcarriers", [2, 16])
def test_noise_alone_has_no_path(gains, n_subcarriers):
    op, f, batch, rate = operator(SMALL), band(n_subcarriers), 100, 0.05
    rng = np.random.default_rng(5)
    noise = rng.normal(size=(batch, n_subcarriers, op.n_observations, 2)) @ [1, 1j]
    estimator = joint(op, f, array=SMALL, gains=gains, false_alarm=rate)
    _, report = estimator.estimate(noise.astype(np.complex64), 2.0)
    # Binomial(100, 0.05) exceeds 15 with probability 4e-5.
    assert np.sum(report["iterations"] > 0) <= 15


@pytest.mark.parametrize("name", ["newtonized_omp", "fpn_oamp"])
def test_gain_and_batch_do_not_matter(name):
    op, f = operator(), band(4)
    rng = np.random.default_rng(6)
    h = response(ARRAY, random_paths(rng, 2, 2), f)
    y = observe(op, h, 0.1, rng)
    estimator = joint(op, f, name)
    both, _ = estimator.estimate(y, 0.1)
    second, report = estimator.estimate(1e-4 * y[1], 0.1 * 1e-8)
    np.testing.assert_allclose(second, 1e-4 * both[1], atol=1e-4 * 2e-3 * np.abs(both[1]).max())
    assert report["noise_var"] == pytest.approx(1e-9, rel=1e-4)
    nothing, report = estimator.estimate(np.zeros_like(y), 0.1)
    assert not nothing.any() and not np.isfinite(report["predicted_nmse_db"]).any()


def test_noise_variance_is_estimated_over_the_band():
    op, f = operator(), band(8)
    rng = np.random.default_rng(7)
    h = response(ARRAY, random_paths(rng, 2, 3), f)
    y = observe(op, h, 0.1, rng)
    h_hat, report = joint(op, f).estimate(y)
    assert np.all(np.abs(10 * np.log10(report["noise_var"] / 0.1)) < 0.3)
    assert np.all(nmse(h_hat, h) < 2 * nmse(joint(op, f).estimate(y, 0.1)[0], h))


def test_the_network_gains_by_smoothing_over_the_band():
    """A window of 24 of 32 subcarriers keeps 3 of 24 dimensions for 3 paths, 9 dB, of errors that are independent
    between subcarriers; a third of the error may be common to them without failing 3 dB."""
    op, f = operator(), band(32)
    rng = np.random.default_rng(8)
    h = response(ARRAY, random_paths(rng, 2, 3), f)
    for noise_var in (1.0, 0.1):
        y = observe(op, h, noise_var, rng)
        h_hat, report = joint(op, f, "fpn_oamp").estimate(y, noise_var)
        error = nmse(h_hat, h)
        assert np.mean(error) < 0.5 * np.mean(nmse(separately(op, y, noise_var, "fpn_oamp"), h))
        assert np.all(np.abs(report["predicted_nmse_db"] - 10 * np.log10(error)) < 3.5)
    y[:, 5] = 0
    h_hat, _ = joint(op, f, "fpn_oamp").estimate(y, noise_var)
    assert not h_hat[:, 5].any()
    np.testing.assert_allclose(h_hat, separately(op, y, noise_var, "fpn_oamp"), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "frequencies, message",
    [
        ([], "1 to 1024"),
        ([[300e9]], "array \\[F\\]"),
        ([300e9, np.nan], "positive"),
        ([-1.0, 300e9], "positive"),
        ([300e9, 300e9], "different"),
        ([290e9, 300e9, 311e9], "equidistant"),
        ([100e9, 500e9], "wider"),
        (["a"], "Hz"),
    ],
)
def test_bad_frequencies_are_refused(frequencies, message):
    with pytest.raises(ValueError, match=f"frequencies.*{message}"):
        thzum.wideband_estimator("newtonized_omp", operator(SMALL), frequencies, CARRIER)


def test_bad_input_is_refused():
    op, f = operator(SMALL), band(4)
    make = thzum.wideband_estimator
    with pytest.raises(ValueError, match="carrier_frequency"):
        make("newtonized_omp", op, f, 0.0)
    with pytest.raises(ValueError, match="name: expected one of"):
        make("ls", op, f, CARRIER)
    with pytest.raises(ValueError, match="unknown|nothing"):
        make("newtonized_omp", op, f, CARRIER, nothing=1)
    with pytest.raises(ValueError, match="gains"):
        make("newtonized_omp", op, f, CARRIER, gains="some")
    with pytest.raises(ValueError, match="subarray_centres"):
        make("newtonized_omp", op, f, CARRIER, subarray_centres=[0.0, 1.0, 2.0])
    estimator = joint(op, f, array=SMALL)
    for shape in ((4,), (3, op.n_observations), (2, 4, op.n_observations + 1)):
        with pytest.raises(ValueError, match="y: expected"):
            estimator.estimate(np.ones(shape, np.complex64), 0.1)
    with pytest.raises(ValueError, match="y: expected finite"):
        estimator.estimate(np.full((4, op.n_observations), np.nan, np.complex64), 0.1)
    for noise_var in (0.0, -1.0, np.inf, [0.1, 0.1]):
        with pytest.raises(ValueError, match="noise_var"):
            estimator.estimate(np.ones((4, op.n_observations), np.complex64), noise_var)
    assert set(thzum.wideband_estimators()) == {"newtonized_omp", "fpn_oamp"}
    assert "gains" in thzum.wideband_estimator_options("newtonized_omp")
    assert "spacing=0.25" in repr(estimator) and estimator.subcarriers == 4


@pytest.mark.parametrize("name", ["newtonized_omp", "fpn_oamp"])
def test_the_noise_level_is_read_off_the_pilots(name):
    rng = np.random.default_rng(21)
    op, f = operator(), band(8)
    h = response(ARRAY, random_paths(rng, 2, 4), f)
    h *= np.sqrt(ARRAY.n_antennas * 8) / np.linalg.norm(h, axis=(1, 2), keepdims=True)
    y = observe(op, h, 0.1, rng)
    estimator = joint(op, f, name)
    given, _ = estimator.estimate(y, 0.1)
    blind, report = estimator.estimate(y)
    # The mean over 8 subcarriers of estimates that spread by some 6 % each.
    np.testing.assert_allclose(report["noise_var"], 0.1, rtol=0.1)
    np.testing.assert_allclose(10 * np.log10(nmse(blind, h) / nmse(given, h)), 0, atol=0.5)
