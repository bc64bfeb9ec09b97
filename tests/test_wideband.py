# SPDX-License-Identifier: GPL-3.0-or-later
"""Wideband channels, taps behind a combiner, and front ends with true time delay against closed forms."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnuradio.thzum import plots
from gnuradio.thzum.array import SPEED_OF_LIGHT, SubarrayArray, array_preset, steering_vectors
from gnuradio.thzum.channel import (
    PathTable,
    TtdFrontEnd,
    array_gain,
    effective_taps,
    frequency_response,
    gain_over_band,
    impulse_response,
    preset,
    response,
    source_before,
    squint_table,
    subcarrier_frequencies,
)
from gnuradio.thzum.channel.hardware import PhaseShifter
from gnuradio.thzum.plots_array import plot_gain_over_frequency, plot_squint

AOSA = array_preset("thz300_aosa4x256")
POINT = SubarrayArray.panel(1, 1, 300e9)
SMALL = SubarrayArray(1, 2, 2, 4, 300e9, 0.5, 8.0)


def random_combiner(array, rng, *leading):
    shape = (*leading, array.n_subarrays, array.rows * array.cols)
    return rng.standard_normal(shape) + 1j * rng.standard_normal(shape)


def drawn(array, batch, seed, n_paths=3):
    """Paths of 1 to 9 m with delays that fit into 3 ns."""
    rng = np.random.default_rng(seed)
    shape = (batch, n_paths)
    return PathTable(
        amplitude=rng.uniform(0.1, 1, shape),
        delay=20e-9 + rng.uniform(0, 3e-9, shape),
        distance=rng.uniform(1, 9, shape),
        elevation=rng.uniform(-1, 1, shape),
        azimuth=rng.uniform(-3, 3, shape),
        near=rng.random(shape) < 0.5,
        phase=rng.uniform(0, 6, shape),
    )


def echo(delay, amplitude=1.0):
    """One path per channel, plane and from broadside."""
    delay = np.atleast_2d(delay).T
    one = np.ones(delay.shape)
    return PathTable(amplitude * one, delay, 5 * one, 0 * one, 0 * one, near=one < 0)


# The table of the knowledge base: edge of the band and mean over it.
SQUINT = {
    ("thz300_aosa4x256", 0): (0.067, 0.214),
    ("thz300_aosa4x256", 4): (0.957, 0.985),
    ("thz300_aosa4x256", 16): (0.989, 0.996),
    ("thz300_aosa4x256", 64): (0.997, 0.999),
    ("thz300_panel1024", 0): (0.295, 0.708),
    ("thz300_panel1024", 4): (0.756, 0.911),
    ("thz300_panel1024", 16): (0.935, 0.977),
    ("thz300_panel1024", 64): (0.984, 0.994),
}


def test_squint_table_is_reproduced():
    rows = squint_table()
    assert [(row.array, row.n_delays) for row in rows] == list(SQUINT)
    for row in rows:
        # half of the last digit given
        assert (row.edge, row.mean) == pytest.approx(SQUINT[row.array, row.n_delays], abs=5.01e-4)


def test_squint_of_a_line_is_the_dirichlet_kernel():
    line = SubarrayArray.linear(48, 300e9)
    frequencies = np.linspace(280e9, 320e9, 33)
    gain = gain_over_band(TtdFrontEnd(line, None), frequencies, 0.9, 0.0)
    x = np.pi * (frequencies - 300e9) / SPEED_OF_LIGHT * 0.5 * line.wavelength * np.sin(0.9)
    kernel = np.where(x == 0, 1.0, np.sin(48 * x) / (48 * np.sin(np.where(x == 0, 1.0, x))))
    np.testing.assert_allclose(gain, kernel**2, atol=1e-10)
    # Delay lines at every fourth element leave the squint of four elements.
    gain = gain_over_band(TtdFrontEnd(line, (1, 12)), frequencies, 0.9, 0.0)
    kernel = np.where(x == 0, 1.0, np.sin(4 * x) / (4 * np.sin(np.where(x == 0, 1.0, x))))
    np.testing.assert_allclose(gain, kernel**2, atol=1e-10)


@settings(max_examples=25, deadline=None)
@given(
    grid=st.tuples(st.integers(1, 2), st.integers(1, 3)),
    groups=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    per_group=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    elevation=st.floats(-1.3, 1.3),
    azimuth=st.floats(-3, 3),
    distance=st.one_of(st.none(), st.floats(0.5, 30)),
)
def test_ideal_front_ends_have_full_gain_at_the_carrier(grid, groups, per_group, elevation, azimuth, distance):
    rows, cols = groups[0] * per_group[0], groups[1] * per_group[1]
    array = SubarrayArray(*grid, rows, cols, 300e9, 0.4, 10.0)
    front = TtdFrontEnd(array, groups)
    setting = front.focus(elevation, azimuth, distance)
    assert setting.delay.shape == (array.n_subarrays, groups[0] * groups[1]) and front.n_delays == setting.delay.size
    assert setting.delay.min() == 0
    assert np.all(np.bincount(setting.group) == per_group[0] * per_group[1])
    np.testing.assert_allclose(np.linalg.norm(setting.combiner([290e9, 310e9]), axis=-1), 1)
    band = np.array([285e9, 300e9, 315e9])
    gain = array_gain(array, setting, band, elevation, azimuth, distance)
    assert gain[1] == pytest.approx(1, abs=1e-12) and np.all(gain <= 1 + 1e-12)
    every = TtdFrontEnd(array, (rows, cols), delay_step=None)
    np.testing.assert_allclose(gain_over_band(every, band, elevation, azimuth, distance), 1, atol=1e-9)


def test_delays_and_phases_follow_the_formula():
    front = TtdFrontEnd(AOSA, (2, 2))
    elevation, azimuth, distance = source_before(AOSA, 5.0, 0.7, 0.2)
    setting = front.focus(elevation, azimuth, distance)
    source = distance * np.array(
        [np.sin(elevation) * np.cos(azimuth), np.sin(elevation) * np.sin(azimuth), np.cos(elevation)]
    )
    centre = np.append(0.5 * AOSA.aperture, 0)
    assert np.linalg.norm(source - centre) == pytest.approx(5.0)
    elements = AOSA.element_positions().reshape(4, 2, 8, 2, 8, 2)
    d_g = np.linalg.norm(source - np.insert(elements.mean(axis=(2, 4)), 2, 0, axis=-1), axis=-1).reshape(4, 4)
    np.testing.assert_allclose(setting.delay, (d_g.max() - d_g) / SPEED_OF_LIGHT, atol=1e-21)
    d_n = np.linalg.norm(source - np.insert(AOSA.element_positions().reshape(4, -1, 2), 2, 0, axis=-1), axis=-1)
    phase = 2 * np.pi * 300e9 * (d_n - d_g[:, setting.group]) / SPEED_OF_LIGHT
    turned = setting.phasor * np.exp(-1j * phase)
    np.testing.assert_allclose(turned, turned[0, 0], atol=1e-8)


def test_quantised_front_ends_lose_what_their_steps_allow():
    source, band = source_before(AOSA, 5.0, 0.7, 0.2), np.linspace(285e9, 315e9, 21)
    step = 2e-12
    ideal, rounded = TtdFrontEnd(AOSA, (16, 16)), TtdFrontEnd(AOSA, (16, 16), delay_step=step)
    gain = gain_over_band(rounded, band, *source)
    # The phase shifters keep the carrier exact; off it the phase errs by at most 2 pi |f - fc| step / 2.
    assert gain[10] == pytest.approx(1, abs=1e-12)
    assert np.all(gain >= np.cos(np.pi * np.abs(band - 300e9) * step) ** 2 - 1e-12)
    assert gain[0] < 1 - 1e-4
    in_steps = rounded.focus(*source).delay / step
    np.testing.assert_allclose(in_steps, np.round(in_steps), atol=1e-9)
    assert np.abs(rounded.focus(*source).delay - ideal.focus(*source).delay).max() <= step / 2 * (1 + 1e-9)
    for bits in (1, 2, 3, 4):
        shifter = TtdFrontEnd(AOSA, (1, 1), phase_shifter=PhaseShifter(bits=bits))
        gain = gain_over_band(shifter, [300e9], *source)[0]
        # Uniform phase errors over a step: mean of the phasor sinc(2^-bits), 1024 of them.
        assert gain == pytest.approx(np.sinc(2.0**-bits) ** 2, abs=5 / np.sqrt(1024))
        assert gain >= np.cos(np.pi / 2**bits) ** 2
    errors = TtdFrontEnd(AOSA, (1, 1), phase_shifter=PhaseShifter(phase_std_deg=20, seed=3))
    gain = gain_over_band(errors, [300e9], *source)[0]
    assert gain == pytest.approx(np.exp(-np.radians(20) ** 2), abs=5 / np.sqrt(1024))


@settings(max_examples=25, deadline=None)
@given(
    leading=st.lists(st.integers(1, 2), min_size=1, max_size=2),
    n_frequencies=st.integers(1, 4),
    per_frequency=st.booleans(),
    resolution=st.sampled_from(["subarray", "element"]),
    seed=st.integers(0, 99),
)
def test_response_behind_a_combiner(leading, n_frequencies, per_frequency, resolution, seed):
    rng = np.random.default_rng(seed)
    paths = drawn(SMALL, int(np.prod(leading)), seed)
    drawn_fields = ("amplitude", "delay", "distance", "elevation", "azimuth", "near", "phase")
    paths = PathTable(**{name: getattr(paths, name).reshape(*leading, 3) for name in drawn_fields})
    frequencies = subcarrier_frequencies(300e9, 10e9, n_frequencies)
    combiner = random_combiner(SMALL, rng, *([n_frequencies] if per_frequency else []))
    y = frequency_response(SMALL, paths, frequencies, combiner, resolution=resolution)
    options = dict(resolution=resolution, normalise=False, dtype=np.complex128)
    h = response(SMALL, paths, frequencies, **options).reshape(*leading, n_frequencies, 2, 8)
    assert y.shape == (*leading, n_frequencies, 2)
    np.testing.assert_allclose(y, (h * combiner).sum(axis=-1), atol=1e-9)
    at_antennas = frequency_response(SMALL, paths, frequencies, resolution=resolution)
    np.testing.assert_array_equal(at_antennas, h.reshape(*leading, n_frequencies, 16))


def test_direction_of_a_path_squints_in_the_response():
    """Plane wave: the phase step between columns grows with frequency, and nothing else turns but the delay."""
    array = SubarrayArray.linear(8, 300e9)
    one = np.ones((1, 1))
    paths = PathTable(one, 7e-9 * one, 5 * one, 0.6 * one, 0 * one, near=one < 0)
    frequencies = subcarrier_frequencies(300e9, 60e9, 5)
    h = frequency_response(array, paths, frequencies)[0]
    steps = np.angle(h[:, 1:] / h[:, :-1])
    np.testing.assert_allclose(steps, np.pi * (frequencies / 300e9)[:, None] * np.sin(0.6) * np.ones(7), atol=1e-9)
    np.testing.assert_allclose(h[:, 0], np.exp(-2j * np.pi * frequencies * 7e-9), atol=1e-9)


@pytest.mark.parametrize("n_taps", [16, 15])
def test_taps_of_one_echo_are_the_periodic_sinc(n_taps):
    rate, lead = 1e9, 4
    delays = 20e-9 + np.array([0, 1, 5, 0.5, 2.25]) / rate
    taps = effective_taps(POINT, echo(delays), rate, n_taps, np.ones((1, 1)), lead=lead, delay_reference=20e-9)
    assert taps.shape == (5, 1, n_taps)
    late = np.arange(n_taps) - lead - (delays[:, None] - 20e-9) * rate
    k = np.arange(n_taps) - n_taps // 2
    kernel = np.exp(2j * np.pi * k * late[..., None] / n_taps).mean(axis=-1)
    gain = np.exp(-2j * np.pi * 300e9 * delays)[:, None]
    np.testing.assert_allclose(taps[:, 0], gain * kernel, atol=1e-8)
    for path, tap in ((0, 4), (1, 5), (2, 9)):
        assert abs(taps[path, 0, tap]) == pytest.approx(1) and np.abs(np.delete(taps[path, 0], tap)).max() < 1e-8


@pytest.mark.parametrize("rolloff", [0.25, 0.5, 1.0])
def test_taps_of_one_echo_are_the_raised_cosine_pulse(rolloff):
    rate, n_taps, lead = 1e9, 256, 128
    delay = 20e-9 + 0.3 / rate
    taps = effective_taps(POINT, echo(delay), rate, n_taps, np.ones((1, 1)), rolloff, lead, delay_reference=20e-9)
    t = (np.arange(n_taps) - lead - 0.3) / (1 + rolloff)  # in symbols of rate / (1 + rolloff)
    pulse = np.sinc(t) * np.cos(np.pi * rolloff * t) / (1 - (2 * rolloff * t) ** 2) / (1 + rolloff)
    # Wrapped copies fall off as 1 / (8 rolloff^2 t^3) at t of about 100.
    np.testing.assert_allclose(taps[0, 0], pulse * np.exp(-2j * np.pi * 300e9 * delay), atol=2e-5)


@settings(max_examples=20, deadline=None)
@given(
    n_taps=st.integers(24, 40),
    rolloff=st.sampled_from([0.0, 0.3]),
    combined=st.booleans(),
    resolution=st.sampled_from(["subarray", "element"]),
    seed=st.integers(0, 99),
)
def test_tap_energy_is_band_energy(n_taps, rolloff, combined, resolution, seed):
    rng, paths = np.random.default_rng(seed), drawn(SMALL, 2, seed)
    combiner = random_combiner(SMALL, rng) if combined else None
    taps = effective_taps(SMALL, paths, 5e9, n_taps, combiner, rolloff, resolution=resolution)
    offset = (np.arange(n_taps) - n_taps // 2) * 5e9 / n_taps
    h = response(SMALL, paths, 300e9 + offset, resolution=resolution, normalise=False, dtype=np.complex128)
    if combined:
        h = (h.reshape(2, n_taps, 2, 8) * combiner).sum(axis=-1)
    symbol_rate, spectrum = 5e9 / (1 + rolloff), np.ones(n_taps)
    if rolloff:
        slope = (np.abs(offset) - 0.5 * symbol_rate * (1 - rolloff)) / (rolloff * symbol_rate)
        spectrum = 0.5 * (1 + np.cos(np.pi * np.clip(slope, 0, 1)))
    band = np.mean(np.abs(h) ** 2 * spectrum[:, None] ** 2, axis=1)
    assert taps.shape == (2, 2 if combined else 16, n_taps)
    np.testing.assert_allclose(np.sum(np.abs(taps) ** 2, axis=-1), band, rtol=1e-9)


def test_taps_are_the_echoes_behind_the_pulse_while_the_array_is_short():
    rate, n_taps, lead, rng = 100e6, 32, 8, np.random.default_rng(3)
    paths = drawn(SMALL, 4, 3)
    paths.delay = 20e-9 + rng.uniform(0, 10, paths.shape) / rate
    combiner = random_combiner(SMALL, rng)
    delay, gain = impulse_response(SMALL, paths, combiner)
    assert delay.shape == (4, 3) and gain.shape == (4, 3, 2)
    late = np.arange(n_taps) - lead - (delay[..., None] - 20e-9) * rate
    k = np.arange(n_taps) - n_taps // 2
    kernel = np.exp(2j * np.pi * k * late[..., None] / n_taps).mean(axis=-1)
    expected = np.einsum("bls,blt->bst", gain, kernel)
    taps = effective_taps(SMALL, paths, rate, n_taps, combiner, lead=lead, delay_reference=20e-9)
    # Neglected: phases of 2 pi (rate / 2) |advance| / c, at most pi rate aperture / c, of each of three paths.
    size = np.hypot(*SMALL.aperture) * rate * np.pi / SPEED_OF_LIGHT
    error = np.linalg.norm(taps - expected, axis=-1)
    bound = size * np.abs(paths.amplitude).sum(axis=-1)[:, None] * np.abs(combiner).sum(axis=-1)
    assert np.all(error < bound) and size < 0.02
    # At the antennas the echoes sum to the response at the carrier.
    _, gain = impulse_response(SMALL, paths)
    np.testing.assert_allclose(gain.sum(axis=1), frequency_response(SMALL, paths, [300e9])[:, 0], atol=1e-9)


def test_a_signal_through_the_taps_meets_the_channel():
    """A periodic transmission, convolved with the taps, is the product with the frequency response."""
    rate, n_taps = 2e9, 32
    paths, rng = drawn(SMALL, 1, 5), np.random.default_rng(5)
    combiner = random_combiner(SMALL, rng)
    taps = effective_taps(SMALL, paths, rate, n_taps, combiner, lead=0, delay_reference=20e-9)[0]
    x = rng.standard_normal(n_taps) + 1j * rng.standard_normal(n_taps)
    m = np.arange(n_taps)
    y = np.array([[np.sum(t * x[(i - m) % n_taps]) for i in m] for t in taps])
    baseband = np.fft.fftfreq(n_taps, 1 / rate)
    h = frequency_response(SMALL, paths, 300e9 + baseband, combiner)[0].T * np.exp(2j * np.pi * baseband * 20e-9)
    np.testing.assert_allclose(y, np.fft.ifft(np.fft.fft(x) * h), atol=1e-8)


def test_delay_lines_straighten_the_taps_of_a_subarray():
    """Far to the side, 64 half-wavelength columns at 100 GHz last 11.9 samples at 40 Gsample/s; TTDs undo it."""
    array = SubarrayArray.linear(64, 100e9)
    one = np.ones((1, 1))
    paths = PathTable(one, 20e-9 * one, 5 * one, 1.2 * one, 0 * one, near=one < 0)
    peak, frequencies = {}, subcarrier_frequencies(100e9, 40e9, 64)
    for name, groups in (("shifters", None), ("delays", (1, 64))):
        front = TtdFrontEnd(array, groups)
        power = np.abs(effective_taps(array, paths, 40e9, 64, front.focus(1.2, 0.0), lead=16)[0, 0]) ** 2
        peak[name] = np.sum(np.sort(power)[-2:]) / np.sum(power)
        assert np.sum(power) == pytest.approx(64 * np.mean(gain_over_band(front, frequencies, 1.2, 0.0)))
    # One echo between two samples has at least 2 (2 / pi)^2 = 81 % in the two around it; 11.9 samples of
    # equal height have a sixth.
    assert peak["delays"] > 0.8 > 0.25 > peak["shifters"]


def test_hidden_subarrays_receive_nothing():
    paths = drawn(SMALL, 2, 1)
    paths.visible = np.zeros((2, 3, 2), bool)
    paths.visible[..., 1] = True
    taps = effective_taps(SMALL, paths, 1e9, 16, np.ones((2, 8)))
    assert not taps[:, 0].any() and taps[:, 1].any(axis=-1).all()
    with pytest.raises(ValueError, match="visible: expected 4 subarrays, got 2"):
        frequency_response(AOSA, paths, [300e9])


def test_grid_of_subcarriers():
    np.testing.assert_allclose(subcarrier_frequencies(300e9, 4e9, 4), [298e9, 299e9, 300e9, 301e9])
    np.testing.assert_allclose(subcarrier_frequencies(300e9, 3e9, 3), [299e9, 300e9, 301e9])
    assert subcarrier_frequencies(300e9, 300e9, 8).min() == 150e9


def test_presets_over_a_band():
    channel = preset("thz300_aosa4x256")
    paths = channel.draw_paths(2, np.random.default_rng(0))
    frequencies = subcarrier_frequencies(300e9, 10e9, 4)
    h = frequency_response(channel.array, paths, frequencies)
    np.testing.assert_allclose(h[:, 2], response(channel.array, paths, normalise=False, dtype=complex), atol=1e-7)
    wave = steering_vectors(channel.array, paths.elevation[0, 0], paths.azimuth[0, 0], frequency=frequencies)
    only = paths[:1]
    only.amplitude = only.amplitude * (np.arange(5) == 0)
    h = frequency_response(channel.array, only, frequencies)[0]
    np.testing.assert_allclose(np.abs(np.sum(wave.conj() * h, axis=1)), 1024)


PATHS = drawn(SMALL, 2, 0)
COMBINER = np.ones((2, 8))


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: subcarrier_frequencies(300e9, 301e9, 8), "bandwidth: expected a band at most as wide"),
        (lambda: subcarrier_frequencies(300e9, 0, 8), "bandwidth: expected a number above 0"),
        (lambda: subcarrier_frequencies(300e9, 1e9, 0), "n_subcarriers: expected an integer of at least 1"),
        (
            lambda: frequency_response(SMALL, PATHS, [10e9, 400e9]),
            r"frequencies: expected a band at most as wide as the carrier of 3e\+11 Hz, got 3.9e\+11 Hz",
        ),
        (lambda: frequency_response(SMALL, PATHS, [-1e9, 1e9]), "frequencies: expected positive Hz, got -1"),
        (lambda: frequency_response(SMALL, PATHS, 300e9), r"frequencies: expected an array \[F\]"),
        (lambda: frequency_response(SMALL, PATHS, []), r"frequencies: expected an array \[F\]"),
        (lambda: frequency_response(SMALL, PATHS, [300e9], np.ones((2, 7))), r"combiner: .*\(2, 8\) as \[S, n\]"),
        (lambda: frequency_response(SMALL, PATHS, [300e9], COMBINER * np.nan), "combiner: expected finite"),
        (lambda: effective_taps(SMALL, PATHS, 301e9, 2000), "sample_rate: expected a band at most as wide"),
        (lambda: effective_taps(SMALL, PATHS, -1, 16), "sample_rate: expected a number above 0"),
        (lambda: effective_taps(SMALL, PATHS, 5e9, 12), r"n_taps: expected at least \d+ for lead and delay spread"),
        (lambda: effective_taps(SMALL, PATHS, 5e9, 64, rolloff=1.5), "rolloff: expected a number at least 0"),
        (lambda: effective_taps(SMALL, PATHS, 5e9, 64, lead=64), "lead: expected an integer from 0 to 63"),
        (lambda: effective_taps(SMALL, PATHS, 5e9, 64, delay_reference=1e-7), "delay_reference: expected at most"),
        (lambda: effective_taps(SMALL, PATHS, 5e9, 64, delay_reference=[0] * 3), "delay_reference: expected a number"),
        (lambda: TtdFrontEnd("array"), "array: expected a SubarrayArray, got str"),
        (lambda: TtdFrontEnd(AOSA, (3, 1)), r"groups: expected divisors of the subarray's 16 x 16, got \(3, 1\)"),
        (lambda: TtdFrontEnd(AOSA, 4), "groups: expected two integers"),
        (lambda: TtdFrontEnd(AOSA, delay_step=-1e-12), "delay_step: expected a number above 0"),
        (lambda: TtdFrontEnd(AOSA, phase_shifter=3), "phase_shifter: expected a PhaseShifter or None"),
        (lambda: TtdFrontEnd(AOSA, max_delay=1e-12).focus(1, 1), "max_delay: expected at least .* s for this"),
        (lambda: TtdFrontEnd(AOSA).focus(0.3, 0.2, -5.0), "distance: expected positive metres"),
        (lambda: TtdFrontEnd(AOSA).focus(np.pi / 2, 0.7, 0.03), "distance: expected sources outside the array"),
        (lambda: TtdFrontEnd(AOSA).focus([0, 0.1], 0.2), "expected one source"),
        (lambda: frequency_response(SMALL, PATHS, [np.inf]), "frequencies: expected finite Hz"),
        (lambda: squint_table(bandwidth=700e9), "frequencies: expected a band at most as wide as the carrier"),
        (lambda: squint_table(distance=-5.0), "distance: expected a number above 0"),
        (lambda: squint_table(groups={"nowhere": [None]}), "name: expected one of"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_sources_in_the_array_are_refused():
    for field, value, message in (
        ("distance", -1.0, "distance: expected positive"),
        ("elevation", np.nan, "elevation: expected finite angles"),
    ):
        paths = drawn(SMALL, 2, 0)
        getattr(paths, field)[1, 2] = value
        with pytest.raises(ValueError, match=message):
            effective_taps(SMALL, paths, 5e9, 64, COMBINER)
    paths = drawn(SMALL, 2, 0)
    paths.distance[0, 1], paths.elevation[0, 1], paths.azimuth[0, 1] = 0.004, np.pi / 2, 0.0
    with pytest.raises(ValueError, match=r"distance: the source of path \(0, 1\) lies inside the array"):
        frequency_response(SMALL, paths, [300e9], COMBINER)


def test_gain_is_drawn_over_frequency():
    figure = plots.new_figure(6, 4)
    axes = figure.subplots()
    fronts = {"phase shifters": TtdFrontEnd(AOSA, None), "4 delays": TtdFrontEnd(AOSA)}
    frequencies, gains = plot_squint(axes, fronts, 30e9, *source_before(AOSA, 5.0, 0.7, 0.2), n_frequencies=51)
    assert [line.get_label() for line in axes.lines] == list(fronts)
    x, y = axes.lines[1].get_data()
    np.testing.assert_allclose(x, frequencies / 1e9)
    np.testing.assert_allclose(10 ** (y / 10), gains["4 delays"])
    assert axes.lines[0].get_ydata().min() == -20
    figure.savefig(io.BytesIO(), format="png")
    with pytest.raises(ValueError, match="gains: expected shape"):
        plot_gain_over_frequency(axes, frequencies, {"short": [1.0]})
    with pytest.raises(ValueError, match="front_ends: expected one carrier"):
        plot_squint(axes, {**fronts, "other": TtdFrontEnd(array_preset("thz140_aosa32x64"))}, 1e9, 0, 0)
