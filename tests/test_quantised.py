# SPDX-License-Identifier: GPL-3.0-or-later
"""Pilots from converters of a few bits: the generalised linear step against its formulas, limits and gains."""

import numpy as np
import pytest
from scipy.stats import truncnorm

from gnuradio import thzum
from gnuradio.thzum.array import array_preset
from gnuradio.thzum.channel.hardware.converter import optimal_step, quantiser_moments

PRESET = "thz300_aosa4x256"
ARRAY = array_preset(PRESET)
SHAPE = (4, 16, 16)
SLOTS = 128


def complex_normal(rng, *shape):
    return (rng.normal(size=shape) + 1j * rng.normal(size=shape)) / np.sqrt(2)


def nmse_db(h_hat, h):
    return 10 * np.log10(np.mean(np.linalg.norm(h_hat - h, axis=-1) ** 2) / np.mean(np.linalg.norm(h, axis=-1) ** 2))


def quantise(y, bits, n_subarrays=4):
    """(Levels, step per chain [..., S, 1]) of pilots [..., M] at the best load of each chain."""
    chains = y.reshape(*y.shape[:-1], n_subarrays, -1)
    step = optimal_step(bits) * np.sqrt(0.5 * np.mean(np.abs(chains) ** 2, axis=-1, keepdims=True))
    top = 2 ** (bits - 1) - 0.5

    def level(x):
        return step * np.clip(np.floor(x / step) + 0.5, -top, top)

    return (level(chains.real) + 1j * level(chains.imag)).reshape(y.shape).astype(np.complex64), step


@pytest.fixture(scope="module")
def scene():
    """Operator, channels and noisy pilots at 10 dB."""
    rng = np.random.default_rng(1)
    op = thzum.pilot_operator.hadamard(*SHAPE, SLOTS, seed=2)
    h = thzum.channel.preset(PRESET).sample(12, seed=3_000_400).reshape(12, -1)
    return op, h, op.measure(h) + np.sqrt(0.1) * complex_normal(rng, 12, 512)


def cell_moments(level, step, top, mean, variance):
    """Posterior mean and variance of real samples, by SciPy in double precision."""
    deviation = np.sqrt(variance)
    low = np.where(level < -top + step / 2, -np.inf, level - step / 2)
    high = np.where(level > top - step / 2, np.inf, level + step / 2)
    posterior = truncnorm((low - mean) / deviation, (high - mean) / deviation, loc=mean, scale=deviation)
    return posterior.mean(), posterior.var()


def generalised_step(estimator, op, levels, step, bits, noise_var, rounds):
    """The loop around an estimator in double precision, for one item with two bits or more."""
    levels = levels.astype(complex).reshape(-1, op.n_slots)
    top = (2 ** (bits - 1) - 0.5) * step

    def posterior(mean, variance):
        i = cell_moments(levels.real, step, top, mean.real, variance / 2)
        q = cell_moments(levels.imag, step, top, mean.imag, variance / 2)
        return i[0] + 1j * q[0], np.mean(i[1] + q[1], axis=1, keepdims=True)

    mean, power = np.zeros_like(levels), np.mean(np.abs(levels) ** 2, axis=1, keepdims=True)
    for _ in range(3):
        centre, variance = posterior(mean, power)
        power = np.mean(np.abs(centre) ** 2, axis=1, keepdims=True) + variance
    belief = power
    for _ in range(rounds):
        centre, variance = posterior(mean, belief)
        share = variance / belief
        pseudo = mean + (centre - mean) / (1 - share)
        total = noise_var + np.mean(variance / (1 - share))
        h_hat, report = estimator.estimate(pseudo.ravel().astype(np.complex64), total)
        seen = op.measure(h_hat).reshape(pseudo.shape)
        left, spread = np.mean(np.abs(pseudo - seen) ** 2), 2 * total / np.sqrt(levels.size)
        channel = max(np.mean(np.abs(pseudo) ** 2) - total, 0) + spread
        expected = 10 ** (report["predicted_nmse_db"] / 10) * channel
        error = np.clip(expected, max(total - left - spread, 0), max(total - left, 0) + spread)
        alpha = np.clip(error / total, 0, 0.9)
        mean = (seen - alpha * pseudo) / (1 - alpha)
        belief = np.minimum(noise_var + error / (1 - alpha), power)
    return h_hat


@pytest.mark.parametrize("bits", [2, 3])
def test_rounds_are_those_of_the_formulas(bits):
    """A smooth inner estimator, so that rounding stays rounding: LMMSE with correlated antennas."""
    rng = np.random.default_rng(5)
    op = thzum.pilot_operator(complex_normal(rng, 2, 24, 16) / 4, rows=4, cols=4)
    # Rows of unit norm: the noise of every observation is the same.
    rows = op.combiner / np.linalg.norm(op.combiner, axis=2, keepdims=True)
    op = thzum.pilot_operator(rows, rows=4, cols=4)
    root = complex_normal(rng, 16, 4)
    covariance = root @ root.conj().T + 0.01 * np.eye(16)
    covariance *= 16 / np.trace(covariance).real
    h = (np.linalg.cholesky(covariance) @ complex_normal(rng, 200, 2, 16, 1)).reshape(200, 32)
    y = op.measure(h.astype(np.complex64)) + 0.1 * complex_normal(rng, 200, 48)
    levels, step = quantise(y, bits, 2)
    inner = thzum.estimator("lmmse", op, covariance=covariance)
    errors = [nmse_db(inner.estimate(levels, 0.01)[0], h)]
    for rounds in (1, 2, 4):
        estimator = thzum.estimator("lmmse", op, covariance=covariance, adc_bits=bits, adc_iterations=rounds)
        given, _ = estimator.estimate(levels, 0.01)
        for k in range(3):
            expected = generalised_step(inner, op, levels[k], step[k], bits, 0.01, rounds)
            assert nmse_db(given[k], expected) < -60
        errors.append(nmse_db(given, h))
    # Each round is better than the one before, and the last clearly better than none.
    assert errors[3] < errors[2] < errors[1] and errors[3] < errors[0] - 0.5


@pytest.mark.parametrize("rounds", [1, 6])
def test_signs_of_independent_gaussians_leave_what_they_must(rounds):
    """Orthonormal rows, as many as antennas: E|error|^2 = 1 - (2 / pi) / (1 + noise_var), exactly."""
    rng = np.random.default_rng(6)
    op = thzum.pilot_operator.hadamard(*SHAPE, 256, seed=7)
    h = complex_normal(rng, 40, 1024)
    noise_var = 0.3
    y = op.measure(h.astype(np.complex64)) + np.sqrt(noise_var) * complex_normal(rng, 40, 1024)
    # A fixed threshold needs no gain control, but its load tells the scale: here exactly.
    step = optimal_step(1) * np.sqrt((1 + noise_var) / 2)
    signs = (step / 2 * (np.sign(y.real) + 1j * np.sign(y.imag))).astype(np.complex64)
    options = dict(covariance=np.eye(256), dictionary="identity", adc_bits=1, adc_iterations=rounds)
    estimator = thzum.estimator("lmmse", op, **options)
    h_hat, _ = estimator.estimate(signs, noise_var)
    expected = 1 - 2 / np.pi / (1 + noise_var)
    error = np.mean(np.abs(h_hat - h) ** 2)
    # 81,920 real errors, of a relative spread below 1.5 each.
    assert error == pytest.approx(expected, rel=5 * 1.5 / np.sqrt(81920))


@pytest.mark.parametrize("name", ["ls", "newtonized_omp", "fpn_oamp"])
def test_a_fine_quantiser_changes_nothing(scene, name):
    op, h, y = scene
    levels, step = quantise(y, 8)
    # 8 bits leave an error 40 dB below the signal, noise and step together: what a change by the pilots' own
    # noise of 10 dB would make, 30 dB less. Model order may differ where a path is at the threshold.
    plain, _ = thzum.estimator(name, op).estimate(y.astype(np.complex64), 0.1)
    given, _ = thzum.estimator(name, op, adc_bits=8).estimate(levels, 0.1)
    each = 10 * np.log10(np.linalg.norm(given - plain, axis=1) ** 2 / np.linalg.norm(plain, axis=1) ** 2)
    assert np.median(each) < nmse_db(plain, h) - 20


@pytest.mark.parametrize("noise_var", [0.1, None])
@pytest.mark.parametrize("name, gain", [("newtonized_omp", 2.5), ("fpn_oamp", 1.5)])
def test_few_bits_cost_less_with_the_step(scene, name, gain, noise_var):
    op, h, y = scene
    levels, _ = quantise(y, 2)
    plain = nmse_db(thzum.estimator(name, op, array=ARRAY).estimate(levels, noise_var)[0], h)
    h_hat, report = thzum.estimator(name, op, array=ARRAY, adc_bits=2).estimate(levels, noise_var)
    assert nmse_db(h_hat, h) < plain - gain
    assert np.mean(report["predicted_nmse_db"]) == pytest.approx(nmse_db(h_hat, h), abs=1.5)
    if noise_var is None:
        np.testing.assert_allclose(np.median(report["noise_var"]), 0.1, rtol=0.25)


def test_averages_over_chips_are_linear_with_more_noise(scene):
    op, h, y = scene
    gain, square = quantiser_moments(3, optimal_step(3))
    y = y.astype(np.complex64)
    given, report = thzum.estimator("lmmse", op, adc_bits=3).estimate(y, 0.1)
    power = np.mean(np.abs(y) ** 2, axis=1)
    expected, _ = thzum.estimator("lmmse", op).estimate(y / gain, 0.1 + power * (1 / gain**2 - 1 / square))
    np.testing.assert_allclose(given, expected, atol=1e-4)
    np.testing.assert_allclose(report["noise_var"], 0.1, rtol=1e-5)


def test_gain_batch_and_silence(scene):
    op, _, y = scene
    levels, _ = quantise(y[:4], 3)
    estimator = thzum.estimator("newtonized_omp", op, adc_bits=3, max_batch=3)
    together, _ = estimator.estimate(levels, 0.1)
    louder, _ = estimator.estimate(1000 * levels, 0.1e6)
    assert nmse_db(louder / 1000, together) < -50
    for k in (0, 3):
        np.testing.assert_allclose(estimator.estimate(levels[k], 0.1)[0], together[k], atol=1e-4)
    levels[1] = 0
    for noise_var in (0.1, None):
        silent, _ = estimator.estimate(levels, noise_var)
        assert not silent[1].any() and np.isfinite(silent).all()
    np.testing.assert_allclose(estimator.estimate(levels, 0.1)[0][0], together[0], atol=1e-4)


def test_a_given_step_is_that_of_the_pilots(scene):
    op, _, y = scene
    step = 0.55
    levels = step * (np.clip(np.floor(y.real / step), -4, 3) + 0.5)
    levels = levels + 1j * step * (np.clip(np.floor(y.imag / step), -4, 3) + 0.5)
    levels = levels.astype(np.complex64)
    read, _ = thzum.estimator("ls", op, adc_bits=3).estimate(levels, 0.1)
    given, _ = thzum.estimator("ls", op, adc_bits=3, adc_step=step).estimate(levels, 0.1)
    np.testing.assert_allclose(given, read, atol=1e-4)


def test_pilots_left_out_do_not_matter(scene):
    op, h, y = scene
    levels, _ = quantise(y[:3], 3)
    mask = np.ones((4, SLOTS), bool)
    mask[2] = False
    mask[0, ::3] = False
    estimator = thzum.estimator("newtonized_omp", op.with_mask(mask), array=ARRAY, adc_bits=3)
    expected, _ = estimator.estimate(levels, 0.1)
    given, _ = estimator.estimate(np.where(mask.ravel(), levels, 77.7).astype(np.complex64), 0.1)
    np.testing.assert_array_equal(given, expected)
    live = [0, 1, 3]
    parts = [x.reshape(3, 4, 256)[:, live].reshape(3, -1) for x in (given, h[:3])]
    assert nmse_db(*parts) < -15


def test_options_and_errors(scene):
    op, _, y = scene
    estimator = thzum.estimator("omp", op, adc_bits=2)
    assert estimator.options["adc_bits"] == 2 and "adc_bits=2" in repr(estimator)
    assert estimator.name == "omp" and thzum.estimator("omp", op).options["adc_bits"] == 0
    assert "adc_step" in thzum.estimator_options("auto")
    for option, value in (("adc_bits", 13), ("adc_bits", 1.5), ("adc_step", -1.0), ("adc_iterations", 65)):
        with pytest.raises(ValueError, match=option):
            thzum.estimator("omp", op, **{"adc_bits": 2, option: value})
    with pytest.raises(ValueError, match="noise_var"):
        estimator.estimate(y.astype(np.complex64), -1.0)


def test_block(scene):
    from gnuradio import blocks, gr

    op, _, y = scene
    levels, _ = quantise(y, 2)
    graph = gr.top_block()
    source = blocks.vector_source_c(levels.ravel().tolist(), False, op.n_observations)
    block = thzum.channel_estimator(op, "newtonized_omp", {"adc_bits": 2}, noise_var=0.1)
    sink = blocks.vector_sink_c(op.n_antennas)
    graph.connect(source, block, sink)
    graph.run()
    expected, _ = thzum.estimator("newtonized_omp", op, adc_bits=2).estimate(levels, 0.1)
    np.testing.assert_allclose(np.reshape(sink.data(), expected.shape), expected, atol=1e-3)
