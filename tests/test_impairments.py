# SPDX-License-Identifier: GPL-3.0-or-later
"""Hardware models against their closed forms; statistical bounds are five standard errors."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from gnuradio.thzum.channel.hardware import (
    Adc,
    FrequencyOffset,
    Hardware,
    IqImbalance,
    PhaseNoise,
    PhaseShifter,
    RappAmplifier,
    SamplingOffset,
    UserPhaseNoise,
    optimal_loading,
    optimal_step,
    quantiser_moments,
)


def gaussian(shape, seed=0):
    draws = np.random.default_rng(seed).standard_normal((2, *np.atleast_1d(shape)))
    return (draws[0] + 1j * draws[1]) / np.sqrt(2)


def phases(model, rows, n):
    """The phase of a model's oscillators, float64 [rows, n]; steps must stay below pi."""
    return np.unwrap(np.angle(model(np.ones((rows, n), complex))), axis=1)


def assert_mean(samples, expected):
    """The mean over axis 0 is ``expected`` within five standard errors, which must mean something."""
    error = 5 * samples.std(axis=0) / np.sqrt(len(samples))
    assert np.all(np.abs(samples.mean(axis=0) - expected) < error)
    assert np.all(error < 0.3 * np.abs(expected))


# --- phase noise


def test_wiener_noise_has_a_lorentzian_carrier_of_the_given_linewidth():
    fs, width, rows, n = 1e9, 2e7, 600, 2048
    carrier = PhaseNoise(fs, linewidth=width, seed=3)(np.ones((rows, n), complex))
    spectrum = np.abs(np.fft.fft(carrier)) ** 2 / (n * fs)
    # Mean periodogram of autocorrelation exp(-pi width |tau|), sampled and cut to n samples.
    lag = np.arange(n)
    cut = (1 - lag / n) * np.exp(-np.pi * width * lag / fs)
    assert_mean(spectrum, (2 * np.fft.fft(cut).real - 1) / fs)
    # The same against the continuous line within a tenth of the band; cutting and sampling cost 2 %.
    f = np.fft.fftfreq(n, 1 / fs)
    near = np.abs(f) < fs / 20
    lorentzian = width / (2 * np.pi) / (f**2 + width**2 / 4)
    ratio = spectrum.mean(axis=0)[near] / lorentzian[near]
    assert np.abs(ratio.mean() - 1) < 0.02 + 5 / np.sqrt(rows * near.sum())


def test_wiener_increments_follow_k2_and_the_linewidth():
    n, fs = 200_000, 2e9
    model = PhaseNoise(fs, k2=1e4, seed=1)
    assert model.increment_variance == pytest.approx(4 * np.pi**2 * 1e4 / fs)
    same = PhaseNoise(fs, linewidth=2 * np.pi * 1e4)
    assert same.increment_variance == pytest.approx(model.increment_variance)
    step = np.diff(phases(model, 1, n)[0])
    assert np.var(step) == pytest.approx(model.increment_variance, rel=5 * np.sqrt(2 / n))
    assert abs(np.mean(step[1:] * step[:-1])) < 5 * model.increment_variance / np.sqrt(n)


def test_floor_has_variance_k0_times_bandwidth_and_a_flat_spectrum():
    fs, k0, rows, n = 1e9, 1e-11, 1500, 256
    model = PhaseNoise(fs, k0=k0, seed=2)
    phase = phases(model, rows, n)
    assert np.var(phase) == pytest.approx(k0 * fs, rel=5 * np.sqrt(2 / phase.size))
    assert_mean(np.abs(np.fft.fft(phase)) ** 2 / (n * fs), model.spectrum(1.0))


def test_flicker_noise_follows_k3_over_f_cubed():
    fs, k3, rows, n = 1e8, 1e9, 100, 4096
    model = PhaseNoise(fs, k3=k3, flicker_low=1e5, seed=4)
    step = np.diff(phases(model, rows, n + 1))
    window = np.hanning(n)
    spectrum = np.mean(np.abs(np.fft.rfft(step * window)) ** 2, axis=0) / (fs * np.sum(window**2))
    f = np.fft.rfftfreq(n, 1 / fs)[1:]
    of_phase = spectrum[1:] / (4 * np.sin(np.pi * f / fs) ** 2)
    for low in 1e5 * 2.0 ** np.arange(8):
        band = (f >= low) & (f < min(2 * low, fs / 5))
        # Neighbouring bins of a Hann window are correlated: half of them count. 5 % is the model's.
        error = 0.05 + 5 * np.sqrt(2 / (rows * band.sum()))
        assert np.mean(of_phase[band] / model.spectrum(f[band])) == pytest.approx(1, abs=error)
    assert model.spectrum([1e5, 2e5]) == pytest.approx(k3 / np.array([1e5, 2e5]) ** 3)


@pytest.mark.parametrize("part", [dict(k0=1e-11), dict(k2=1e4), dict(k3=1e10)])
def test_oscillators_are_shared_or_independent(part):
    n = 20_000
    shared = phases(PhaseNoise(1e9, shared=True, **part), 3, n)
    assert np.array_equal(shared[0], shared[1]) and np.array_equal(shared[0], shared[2])
    own = phases(PhaseNoise(1e9, **part), 2, n)
    # Whitened enough for a bound: steps of the walk, and second differences of the flicker phase.
    first, second = np.diff(own, n=2)
    assert abs(np.corrcoef(first, second)[0, 1]) < 5 * np.sqrt(3 / n)


def test_noise_belongs_to_the_oscillator_and_the_side_alone():
    x = np.ones((3, 700), complex)
    parts = dict(k0=1e-11, k2=1e4, k3=1e9, seed=5)
    receiver, users = PhaseNoise(1e9, **parts)(x), UserPhaseNoise(1e9, **parts)(x)
    assert np.array_equal(PhaseNoise(1e9, **parts)(x[:2]), receiver[:2])
    assert np.array_equal(PhaseNoise(1e9, shared=True, **parts)(x[:2]), receiver[[0, 0]])
    first, second = np.diff(np.angle(np.concatenate([receiver, users])), axis=1)[[0, 3]]
    assert abs(np.corrcoef(first, second)[0, 1]) < 5 * np.sqrt(1.5 / 700)


def test_phase_noise_is_reproducible_by_seed():
    x = gaussian((2, 500))
    model = PhaseNoise(1e9, k0=1e-11, k2=1e4, k3=1e9, seed=5)
    first = model(x)
    assert not np.array_equal(model(x), first)
    model.reset()
    assert np.array_equal(model(x), first)
    assert not np.array_equal(PhaseNoise(1e9, k0=1e-11, k2=1e4, k3=1e9, seed=6)(x), first)


# --- offsets


def test_frequency_offset_is_an_exact_ramp():
    n, offset, fs = 1_000_000, 12345.678, 1e9
    y = FrequencyOffset(fs, offset, phase=0.3)(np.ones(n))
    for k in (0, 1, 777, n // 2, n - 1):
        cycles = float(Fraction(offset) * k / Fraction(fs) % 1)
        assert abs(y[k] - np.exp(1j * (2 * np.pi * cycles + 0.3))) < 1e-12


def test_every_user_has_an_offset_of_its_own():
    x = gaussian((3, 200))
    offsets = (1e5, -2e6, 0.0)
    y = FrequencyOffset(1e9, offsets)(x)
    for row, offset in enumerate(offsets):
        assert np.array_equal(y[row], FrequencyOffset(1e9, offset)(x[row]))


@pytest.mark.parametrize("ppm", [0.0, 25.0, -40.0, 2000.0, -50_000.0])
@pytest.mark.parametrize("cycles", [0.01, 0.25, -0.4])
def test_sampling_offset_interpolates_a_tone_to_the_stated_accuracy(ppm, cycles):
    n = 4000
    model = SamplingOffset(ppm)
    y = model(np.exp(2j * np.pi * cycles * np.arange(n)))
    instant = np.arange(len(y)) / (1 + 1e-6 * ppm)
    error = np.abs(y - np.exp(2j * np.pi * cycles * instant))
    assert error[instant >= 23].max() < 1e-4
    total = len(y) + len(model.flush())
    assert total == np.sum(np.arange(2 * n) / (1 + 1e-6 * ppm) < n)


def test_sampling_offset_of_zero_returns_the_samples():
    model, x = SamplingOffset(0.0), gaussian((2, 300))
    y = np.concatenate([model(x), model.flush()], axis=1)
    assert np.abs(y - x).max() < 1e-12


def test_flush_needs_a_stream():
    with pytest.raises(ValueError, match="flush: expected a stream"):
        SamplingOffset(1.0).flush()


# --- front end


@pytest.mark.parametrize("smoothness", [0.5, 1.0, 2.0, 3.0, 200.0])
def test_rapp_amplifier_follows_its_am_am_curve(smoothness):
    amplitude = np.geomspace(1e-3, 1e3, 200)
    phase = np.linspace(0, 20, 200)
    y = RappAmplifier(smoothness, saturation=2.0)(amplitude * np.exp(1j * phase))
    order = 2 * smoothness
    log_gain = -np.logaddexp(0, order * np.log(amplitude / 2.0)) / order
    assert np.abs(y) == pytest.approx(amplitude * np.exp(log_gain), rel=1e-12)
    assert np.abs(y * np.exp(-1j * phase) - np.abs(y)).max() < 1e-12


def test_rapp_back_off_is_saturation_over_mean_power():
    model = RappAmplifier(2.0, input_backoff_db=6.0, input_power=4.0)
    assert model.saturation_amplitude == pytest.approx(2 * 10**0.3)
    # 3 dB compression of the power at the saturation amplitude for p = 1.
    assert RappAmplifier(1.0, saturation=3.0).gain(3.0) == pytest.approx(np.sqrt(0.5))
    assert RappAmplifier(2.0, saturation=1.0)(np.zeros(4)) == pytest.approx(np.zeros(4))


@pytest.mark.parametrize("amplitude_db, phase_deg", [(1.0, 0.0), (0.0, 5.0), (0.5, -3.0), (-2.0, 20.0)])
def test_iq_imbalance_rejects_the_image_as_in_closed_form(amplitude_db, phase_deg):
    n, bin_ = 256, 19
    model = IqImbalance(amplitude_db, phase_deg)
    spectrum = np.fft.fft(model(np.exp(2j * np.pi * bin_ * np.arange(n) / n)))
    g, cos = 10 ** (amplitude_db / 20), np.cos(np.radians(phase_deg))
    rejection = 10 * np.log10((1 + 2 * g * cos + g**2) / (1 - 2 * g * cos + g**2))
    assert 20 * np.log10(abs(spectrum[bin_] / spectrum[-bin_])) == pytest.approx(rejection, abs=1e-6)
    assert model.image_rejection_db == pytest.approx(rejection, abs=1e-6)
    mu, nu = model.coefficients
    x = gaussian((2, 50))
    assert model(x) == pytest.approx(mu * x + nu * np.conj(x))


def test_no_imbalance_changes_nothing():
    x = gaussian((2, 50))
    assert np.array_equal(IqImbalance()(x), x)
    assert IqImbalance().image_rejection_db == np.inf


@pytest.mark.parametrize("bits", [1, 2, 3, 5])
def test_quantised_phases_have_the_gain_of_a_uniform_error(bits):
    n = 50_000
    c = np.exp(2j * np.pi * np.random.default_rng(bits).random((2, 5, n // 10)))
    q = PhaseShifter(bits)(c)
    levels = np.angle(q) / (2 * np.pi / 2**bits)
    assert np.abs(levels - np.round(levels)).max() < 1e-9
    aligned = (q * np.conj(c)).ravel()
    assert np.abs(np.angle(aligned)).max() <= np.pi / 2**bits + 1e-9
    assert_mean(aligned.real, np.sinc(0.5**bits))
    assert_mean(np.abs(q - c).ravel() ** 2, 2 * (1 - np.sinc(0.5**bits)))


def test_element_errors_have_the_given_spread_and_stay_with_the_element():
    s, q, n = 4, 3, 5000
    shifter = PhaseShifter(gain_std_db=0.5, phase_std_deg=6.0, seed=1)
    c = gaussian((s, q, n))
    factor = shifter(c) / c
    assert np.abs(factor - factor[:, :1]).max() < 1e-12
    element = factor[:, 0].ravel()
    spread = 5 / np.sqrt(2 * element.size)
    assert np.std(20 * np.log10(np.abs(element))) == pytest.approx(0.5, rel=spread)
    assert np.std(np.degrees(np.angle(element))) == pytest.approx(6.0, rel=spread)
    assert_mean((element / np.abs(element)).real, np.exp(-np.radians(6.0) ** 2 / 2))
    assert np.array_equal(shifter(c), shifter(c))


def test_phase_shifter_keeps_magnitudes_zeros_and_precision():
    c = gaussian((1, 2, 64)).astype(np.complex64)
    c[0, 0, :5] = 0
    q = PhaseShifter(3)(c)
    assert q.dtype == np.complex64
    assert np.abs(q) == pytest.approx(np.abs(c), rel=1e-6)
    assert np.array_equal(PhaseShifter()(c), c)


# --- converter

# Max, IRE Transactions on Information Theory 6 (1960), table II: step and mean squared error.
MAX_TABLE = [
    (1, 1.596, 0.3634),
    (2, 0.9957, 0.1188),
    (3, 0.5860, 0.03744),
    (4, 0.3352, 0.01154),
    (5, 0.1881, 0.003495),
]


@pytest.mark.parametrize("bits, step, error", MAX_TABLE)
def test_optimal_step_is_that_of_max(bits, step, error):
    cross, square = quantiser_moments(bits, optimal_step(bits))
    assert optimal_step(bits) == pytest.approx(step, abs=1e-4 * max(1, 10 * step))
    assert 1 - 2 * cross + square == pytest.approx(error, rel=1e-3)
    # At the optimum the error is orthogonal to the output.
    assert cross == pytest.approx(square, rel=1e-5)


@pytest.mark.parametrize("bits, sqnr", [(1, 4.40), (2, 9.25), (3, 14.27), (4, 19.38)])
def test_sqnr_has_the_known_values(bits, sqnr):
    assert Adc(bits).sqnr_db == pytest.approx(sqnr, abs=0.006)


def test_loading_grows_and_every_bit_adds_less_than_6_db():
    loading = [optimal_loading(bits) for bits in range(1, 13)]
    sqnr = [Adc(bits).sqnr_db for bits in range(1, 13)]
    assert np.all(np.diff(loading) > 0)
    assert np.all(np.diff(sqnr) > 4.8) and np.all(np.diff(sqnr) < 20 * np.log10(2))


# From 8 bits on, overload is too rare and too heavy in the error to be met in a sample: it is left out there.
LOADINGS = [(bits, None) for bits in range(1, 8)] + [(3, 1.5), (6, 6.0), (8, 6.0), (10, 6.0), (12, 6.0)]


def grid_moments(adc):
    """E[e^2] and E[e^4] of the error for I = N(0, 1), by summation over a fine grid."""
    x = np.linspace(-9, 9, 1_800_001)
    weight = np.exp(-(x**2) / 2) / np.exp(-(x**2) / 2).sum()
    error = x - adc(x).real
    return np.sum(weight * error**2), np.sum(weight * error**4)


@pytest.mark.parametrize("bits, loading", LOADINGS + [(bits, None) for bits in range(8, 13)])
def test_closed_form_sqnr_is_that_of_the_quantiser(bits, loading):
    adc = Adc(bits, loading=loading, power=2.0)
    assert -10 * np.log10(grid_moments(adc)[0]) == pytest.approx(adc.sqnr_db, abs=1e-3)


@pytest.mark.parametrize("bits, loading", LOADINGS)
def test_adc_has_the_computed_sqnr_and_gain(bits, loading):
    chains, n = 2, 100_000
    x = 3 * gaussian((chains, n), seed=bits)
    adc = Adc(bits, loading=loading, power=9.0)
    y = adc(x)
    second, fourth = grid_moments(Adc(bits, loading=loading, power=2.0))
    bound = 5 * np.sqrt((fourth / second**2 - 1) / (2 * chains * n))
    assert bound < 0.15
    assert np.mean(np.abs(y - x) ** 2) == pytest.approx(9 * 10 ** (-adc.sqnr_db / 10), rel=bound)
    assert_mean((y * np.conj(x)).real.ravel(), 9 * adc.bussgang_gain)
    assert len(np.unique(y.real)) <= 2**bits


@pytest.mark.parametrize("bits", [1, 4, 8])
def test_gain_control_settles_on_each_chains_power(bits):
    tau, n = 2000, 60_000
    x = gaussian((2, n), seed=bits) * np.array([[0.01], [30.0]])
    adc = Adc(bits, agc_samples=tau)
    y = adc(x)
    settled = slice(20 * tau, None)
    # The estimate of the power spreads by sqrt(1 / (2 tau)) = 1.6 %, which costs well below 0.1 dB.
    error = np.mean(np.abs(y - x)[:, settled] ** 2, axis=1)
    sqnr = 10 * np.log10(np.mean(np.abs(x[:, settled]) ** 2, axis=1) / error)
    relative = 5 * 4 / np.sqrt(n - 20 * tau)
    assert sqnr == pytest.approx(adc.sqnr_db, abs=0.1 + 10 * np.log10(1 + relative))


def test_gain_control_survives_silence():
    adc = Adc(4, agc_samples=4)
    assert np.isfinite(adc(np.zeros(20_000))).all()
    assert np.isfinite(adc(1e3 * gaussian(100))).all()


# --- streams

MODELS = {
    "phase noise": lambda: PhaseNoise(1e9, k0=1e-11, k2=1e4, k3=1e9, seed=1),
    "shared phase noise": lambda: PhaseNoise(1e9, k0=1e-11, linewidth=1e4, shared=True),
    "flicker phase noise": lambda: PhaseNoise(1e9, k3=1e9, flicker_low=1e4),
    "user phase noise": lambda: UserPhaseNoise(1e9, k0=1e-11, k3=1e9),
    "frequency offset": lambda: FrequencyOffset(1e9, 1.234e6, 0.1),
    "sampling offset": lambda: SamplingOffset(300.0),
    "slow sampling clock": lambda: SamplingOffset(-90_000.0),
    "amplifier": lambda: RappAmplifier(2.0, input_backoff_db=3.0),
    "iq imbalance": lambda: IqImbalance(0.5, 3.0),
    "adc": lambda: Adc(5, agc_samples=100),
}


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=15, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 700), max_size=6).map(sorted),
    shape=st.sampled_from([(), (1,), (3,), (2, 2)]),
    dtype=st.sampled_from([np.complex64, np.complex128]),
)
def test_pieces_of_a_stream_equal_one_call(name, cuts, shape, dtype):
    x = gaussian((*shape, 700)).astype(dtype)
    before = x.copy()
    at_once, in_pieces = MODELS[name](), MODELS[name]()
    whole = at_once(x)
    parts = [in_pieces(piece) for piece in np.split(x, cuts, axis=-1)]
    if isinstance(at_once, SamplingOffset):
        whole = np.concatenate([whole, at_once.flush()], axis=-1)
        parts.append(in_pieces.flush())
    assert whole.dtype == dtype and whole.shape[:-1] == shape
    assert np.array_equal(np.concatenate(parts, axis=-1), whole)
    assert np.array_equal(x, before)


@pytest.mark.parametrize("name", MODELS)
def test_bad_samples_are_refused(name):
    model = MODELS[name]()
    with pytest.raises(ValueError, match="samples: expected finite"):
        model(np.array([1.0, np.nan]))
    with pytest.raises(ValueError, match=r"samples: expected an array \[..., n\]"):
        model(np.complex64(1))
    with pytest.raises(ValueError, match="samples: expected complex samples"):
        model(np.array(["a"]))


@pytest.mark.parametrize("name", [name for name in MODELS if name not in ("amplifier", "iq imbalance")])
def test_a_stream_keeps_its_rf_chains(name):
    model = MODELS[name]()
    model(np.ones((2, 40)))
    with pytest.raises(ValueError, match=r"leading shape \(2,\).*call reset"):
        model(np.ones((3, 40)))
    model.reset()
    model(np.ones((3, 40)))


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: PhaseNoise(0.0), "sample_rate: expected a number above 0"),
        (lambda: PhaseNoise(1e9, k0=-1.0), "k0: expected a number at least 0"),
        (lambda: PhaseNoise(1e9, k2=1.0, linewidth=1.0), "linewidth: expected either"),
        (lambda: PhaseNoise(1e9, flicker_low=2e8), "flicker_low: expected below a fifth"),
        (lambda: PhaseNoise(1e9, shared=1), "shared: expected True or False"),
        (lambda: PhaseNoise(1e9, seed=-1), "seed: expected an integer from 0 to"),
        (lambda: PhaseNoise(1e9, seed=2**53), "seed: expected an integer from 0 to"),
        (lambda: FrequencyOffset(1e9, (1.0, 2.0))(np.ones((3, 4))), "offset: expected one number or one for each of 3"),
        (lambda: FrequencyOffset(1e9, np.inf), "offset: expected a number that is finite"),
        (lambda: SamplingOffset(2e5), "ppm: expected a number"),
        (lambda: RappAmplifier(2.0), "expected exactly one of them"),
        (lambda: RappAmplifier(2.0, 1.0, 3.0), "expected exactly one of them"),
        (lambda: RappAmplifier(0.0, 1.0), "smoothness: expected a number above 0"),
        (lambda: IqImbalance(phase_deg=100), "phase_deg: expected"),
        (lambda: PhaseShifter(bits=0), "bits: expected an integer from 1 to 24"),
        (lambda: PhaseShifter(gain_std_db="1"), "gain_std_db: expected a number"),
        (lambda: PhaseShifter()(np.ones((2, 3))), r"combiner: expected an array \[S, Q, n\]"),
        (lambda: Adc(0), "bits: expected an integer from 1 to 12"),
        (lambda: Adc(13), "bits: expected an integer from 1 to 12"),
        (lambda: Adc(4.0), "bits: expected an integer"),
        (lambda: Adc(4, agc_samples=0.5), "agc_samples: expected a number at least 1"),
        (lambda: optimal_step(13), "bits: expected an integer from 1 to 12"),
    ],
)
def test_bad_parameters_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# --- composition

CONFIG = {
    "user_frequency_offset": {"offset": (1e5, -2e5, 0.0, 3e4)},
    "user_phase_noise": {"k0": 1e-11, "k3": 1e9, "seed": 7},
    "power_amplifier": {"smoothness": 2.0, "input_backoff_db": 6.0},
    "phase_shifter": {"bits": 4, "gain_std_db": 0.5, "phase_std_deg": 3.0},
    "low_noise_amplifier": {"saturation": 4.0},
    "frequency_offset": {"offset": 1e5},
    "phase_noise": {"k0": 1e-11, "linewidth": 1e3, "seed": 7},
    "iq_imbalance": {"amplitude_db": 0.5, "phase_deg": 2.0},
    "sampling_offset": {"ppm": 10.0},
    "adc": {"bits": 6, "agc_samples": 200},
}


def test_hardware_applies_its_models_in_physical_order():
    x = gaussian((4, 1000))
    hardware = Hardware.from_dict(CONFIG, sample_rate=1e9)
    y = RappAmplifier(2.0, saturation=4.0)(x)
    y = FrequencyOffset(1e9, 1e5)(y)
    y = PhaseNoise(1e9, k0=1e-11, linewidth=1e3, seed=7)(y)
    y = IqImbalance(0.5, 2.0)(y)
    clock, adc = SamplingOffset(10.0), Adc(6, agc_samples=200)
    y = adc(clock(y))
    assert np.array_equal(hardware.receive(x), y)
    assert np.array_equal(hardware.flush(), adc(clock.flush()))
    assert np.array_equal(hardware.receive(x), y)
    sent = UserPhaseNoise(1e9, k0=1e-11, k3=1e9, seed=7)(FrequencyOffset(1e9, (1e5, -2e5, 0.0, 3e4))(x))
    assert np.array_equal(hardware.transmit(x), RappAmplifier(2.0, input_backoff_db=6.0)(sent))
    c = gaussian((4, 8, 16))
    assert np.array_equal(hardware.combine(c), PhaseShifter(4, 0.5, 3.0)(c))


@pytest.mark.parametrize("name", CONFIG)
def test_each_model_is_switched_by_itself(name):
    x, c = gaussian((4, 500)), gaussian((4, 4, 8))
    hardware = Hardware.from_dict({name: CONFIG[name]}, sample_rate=1e9)
    sides = {
        "transmit": ("user_frequency_offset", "user_phase_noise", "power_amplifier"),
        "combine": ("phase_shifter",),
    }
    side = next((side for side, names in sides.items() if name in names), "receive")
    for method, ideal in (("transmit", x), ("combine", c), ("receive", x)):
        assert np.array_equal(getattr(hardware, method)(ideal), ideal) == (method != side)
    off = Hardware.from_dict({key: False for key in CONFIG})
    assert off == Hardware() and np.array_equal(off.receive(x), x)


def test_hardware_in_pieces_equals_one_call():
    x = gaussian((4, 3000)).astype(np.complex64)
    at_once, in_pieces = (Hardware.from_dict(CONFIG, sample_rate=1e9) for _ in range(2))
    whole = np.concatenate([at_once.receive(x), at_once.flush()], axis=1)
    parts = [in_pieces.receive(piece) for piece in np.split(x, [1, 10, 1111, 2500], axis=1)]
    assert np.array_equal(np.concatenate([*parts, in_pieces.flush()], axis=1), whole)
    assert whole.dtype == np.complex64


def test_hardware_survives_a_round_trip_through_dictionaries():
    hardware = Hardware.from_dict(CONFIG, sample_rate=1e9)
    assert Hardware.from_dict(hardware.to_dict()) == hardware


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Hardware.from_dict({"adcs": {}}), "config: expected keys among .*'adcs'"),
        (lambda: Hardware.from_dict({"adc": {"bit": 3}}), "adc: expected keys among .*'bit'"),
        (lambda: Hardware.from_dict({"adc": {}}), "adc: .*missing.*'bits'"),
        (lambda: Hardware.from_dict({"adc": {"bits": 40}}), "adc: bits: expected an integer from 1 to 12"),
        (lambda: Hardware.from_dict({"phase_noise": {"k0": 0.0}}), "phase_noise: .*missing.*'sample_rate'"),
        (lambda: Hardware.from_dict({"adc": 4}), "adc: expected a dictionary"),
        (lambda: Hardware.from_dict([]), "config: expected a dictionary"),
        (lambda: Hardware(adc=IqImbalance()), "adc: expected Adc or None, got IqImbalance"),
        (lambda: Hardware().flush(), "flush: expected a sampling_offset"),
    ],
)
def test_bad_configurations_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_one_amplifier_cannot_stand_in_two_places():
    amplifier = RappAmplifier(2.0, saturation=1.0)
    with pytest.raises(ValueError, match="low_noise_amplifier: expected a model of its own"):
        Hardware(power_amplifier=amplifier, low_noise_amplifier=amplifier)
