# SPDX-License-Identifier: GPL-3.0-or-later
"""The estimator "auto": the combination it promises, and that it follows whichever estimator is better."""

import numpy as np
import pytest

from gnuradio import thzum
from gnuradio.thzum.array import array_preset
from gnuradio.thzum.channel.native import native_model

ARRAY = array_preset("thz300_aosa4x256")


def complex_normal(rng, *shape):
    return (rng.normal(size=shape) + 1j * rng.normal(size=shape)) / np.sqrt(2)


def operator():
    return thzum.pilot_operator.hadamard(4, 16, 16, 128, seed=21)


def pilots(op, h, noise_var, seed=1):
    noise = np.sqrt(noise_var) * complex_normal(np.random.default_rng(seed), *h.shape)
    return op.measure((h + noise).astype(np.complex64))


def nmse(h_hat, h):
    return np.mean(np.linalg.norm(h_hat - h, axis=1) ** 2 / np.linalg.norm(h, axis=1) ** 2)


def estimates(op, y, noise_var, **options):
    both = [thzum.estimator(name, op, array=ARRAY).estimate(y, noise_var) for name in ("newtonized_omp", "fpn_oamp")]
    return (*both, thzum.estimator("auto", op, array=ARRAY, **options).estimate(y, noise_var))


def measured_divergence(op, y, noise_var, net, probes=8):
    """noise_var times the divergence of fpn_oamp by the pilots, float64 [B], over own probes."""
    rng = np.random.default_rng(9)
    estimator, total = thzum.estimator("fpn_oamp", op), np.zeros(len(y))
    for _ in range(probes):
        probe = complex_normal(rng, *y.shape)
        size = 0.3 * np.sqrt(noise_var)
        moved = op.measure(estimator.estimate((y + size * probe).astype(np.complex64), noise_var)[0] - net)
        total += np.sum(probe.conj() * moved, axis=1).real * noise_var / size
    return total / probes


def test_combination_minimises_the_risk_estimate():
    # The combiner is semi-orthogonal, so pilots are their own whitened pair.
    op, noise_var, count = operator(), 0.1, 24
    h = native_model("thz300_aosa4x256").sample(count, seed=3)
    h[6:] = np.sign(h[6:].real)  # nothing that either knows
    y = pilots(op, h, noise_var)
    (paths, paths_report), (net, net_report), (combined, report) = estimates(op, y, noise_var)

    def predicted(h_hat, its_report):
        """Error in the pilots as the estimator's model of the channel has it."""
        own = 10 ** (its_report["predicted_nmse_db"] / 10) - its_report["unexplained_nmse"]
        return 0.5 * np.linalg.norm(h_hat, axis=1) ** 2 * own

    step = op.measure(paths - net)
    apart = np.linalg.norm(step, axis=1) ** 2
    weight = np.sum((paths - net).conj() * (combined - net), axis=1).real / np.linalg.norm(paths - net, axis=1) ** 2
    np.testing.assert_allclose(combined, net + weight[:, None] * (paths - net), atol=1e-3)
    assert np.all((weight > -1e-4) & (weight < 1 + 1e-4)) and np.ptp(weight) > 0.2
    # Inside (0, 1) the weight tells the divergence that was used: not below the prediction, and on average the one
    # that own probes find. A probe scatters by about sqrt(2 * 50) of 50, so 8 items agree within a quarter.
    inside = (weight > 0.01) & (weight < 0.99)
    along = np.sum(step.conj() * (y - op.measure(net)), axis=1).real
    used = weight * apart - along + noise_var * paths_report["divergence"]
    assert inside.sum() >= 8
    assert np.all(used[inside] > 0.97 * predicted(net, net_report)[inside])
    expected = np.maximum(predicted(net, net_report), measured_divergence(op, y, noise_var, net))
    assert np.mean(used[inside]) == pytest.approx(np.mean(expected[inside]), rel=0.25)
    parts = predicted(paths, paths_report), np.maximum(used, 0)
    error = weight * parts[0] + (1 - weight) * used - weight * (1 - weight) * apart
    error = np.maximum(error, 0.5 * np.minimum(*parts))
    np.testing.assert_allclose(predicted(combined, report)[inside], error[inside], rtol=0.03)


def test_what_is_left_of_the_pilots_shows_a_broken_model():
    """Of 512 pilots, noise leaves an excess of 0 +- sqrt(512) noise_var; channels that nobody knows leave more."""
    op, noise_var = operator(), 0.1
    h = native_model("thz300_aosa4x256").sample(60, seed=8)
    h[30:] = np.sign(h[30:].real)
    _, _, (combined, report) = estimates(op, pilots(op, h, noise_var), noise_var)
    error = 10 * np.log10(np.linalg.norm(combined - h, axis=1) ** 2 / 1024)
    predicted = report["predicted_nmse_db"]
    unexplained = 10 * np.log10(report["unexplained_nmse"])
    assert np.median(unexplained[:30]) < -24  # about a spread: 0.1 sqrt(512) of 512 is -23.5 dB
    assert unexplained[30:].min() > -15
    assert abs(np.mean(predicted[:30] - error[:30])) < 2
    # Signs fill the whole space and not what the pilots see best, so the observed share tells all of it.
    assert abs(np.mean(predicted[30:] - error[30:])) < 1


@pytest.mark.parametrize("damage", ["none", "phase errors", "blocked"])
def test_never_much_worse_than_the_better_of_both(damage):
    # Differences between estimates of the same channels: a few tenths of a dB over 60 channels.
    rng = np.random.default_rng(4)
    h = native_model("thz300_aosa4x256").sample(60, seed=5)
    if damage == "phase errors":
        h = (h * np.exp(1j * np.radians(5) * rng.standard_normal((1, 1024)))).astype(np.complex64)
    elif damage == "blocked":
        h.reshape(60, 4, 16, 16)[:, 2, :8] = 0
    op, noise_var = operator(), 0.1
    (paths, _), (net, _), (combined, _) = estimates(op, pilots(op, h, noise_var), noise_var)
    best = min(nmse(paths, h), nmse(net, h))
    assert nmse(combined, h) < best * 10**0.03
    if damage == "blocked":  # both know something that the other does not
        assert nmse(combined, h) < best


def test_gain_zeros_and_unknown_noise():
    op, noise_var = operator(), 0.05
    h = native_model("thz300_aosa4x256").sample(4, seed=6)
    y = pilots(op, h, noise_var)
    y[1] = 0
    estimator = thzum.estimator("auto", op, array=ARRAY)
    one, report = estimator.estimate(y, noise_var)
    assert not one[1].any() and np.isfinite(report["predicted_nmse_db"][[0, 2, 3]]).all()
    loud, _ = estimator.estimate(1000 * y, 1e6 * noise_var)
    np.testing.assert_allclose(loud / 1000, one, atol=2e-3)
    blind, report = estimator.estimate(y[[0, 2, 3]])
    assert nmse(blind, h[[0, 2, 3]]) < 10**-2
    # 512 observations less 25 unknowns of five paths: 4.5 % standard deviation.
    np.testing.assert_allclose(report["noise_var"], noise_var, rtol=0.2)


def test_paths_are_those_of_the_parametric_estimate():
    op = operator()
    y = pilots(op, native_model("thz300_aosa4x256").sample(1, seed=7), 0.1)
    combined, parametric = (thzum.estimator(name, op, array=ARRAY) for name in ("auto", "newtonized_omp"))
    combined.estimate(y, 0.1)
    parametric.estimate(y, 0.1)
    for key, value in parametric.paths().items():
        np.testing.assert_array_equal(combined.paths()[key], value)


def test_what_does_not_fit_is_refused(tmp_path):
    with pytest.raises(ValueError, match="learned"):
        thzum.estimator("auto", operator(), learned="nothing")
    with pytest.raises(RuntimeError, match="no such file"):
        thzum.estimator("auto", operator(), model=str(tmp_path / "missing.onnx"))
    small = thzum.pilot_operator.hadamard(2, 8, 8, 32, seed=1)
    with pytest.raises(ValueError):
        thzum.estimator("auto", small)
    thzum.estimator("auto", small, learned="oamp", spacing=0.2)
