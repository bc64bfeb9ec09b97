# SPDX-License-Identifier: GPL-3.0-or-later
"""The float64 uplink against independent definitions: the frame's narrowband receiver, the filter's accuracy."""

import numpy as np
import pytest
from gnuradio import thzum
from gnuradio.thzum.array import SubarrayArray
from gnuradio.thzum.channel import CombinerSchedule, HybridFieldChannel, UplinkChannel, draw_users, response
from gnuradio.thzum.channel.fractional_delay import PASSBAND, delay_filter, kaiser_attenuation, latency
from gnuradio.thzum.channel.hardware import Hardware
from gnuradio.thzum.channel.hardware_options import hardware_options
from gnuradio.thzum.frame import PilotPlan, map_data, receive_frame, receive_over_the_air, transmit_frame
from gnuradio.thzum.frame.transmitter import data_bits

ARRAY = SubarrayArray(1, 2, 4, 8, carrier_frequency=300e9, spacing=0.25, gap=30.0)
MODEL = HybridFieldChannel(ARRAY, 3, 12.0, (2.0, 9.0), 0.1, 2.24 - 0.025j, 88e-6)
PLAN = PilotPlan(ARRAY, n_slots=16, n_users=3, n_noise=8, n_data=12)


@pytest.fixture
def waveforms():
    rng = np.random.default_rng(2)
    bits = rng.integers(0, 2, (3, data_bits(PLAN)))
    return np.stack([transmit_frame(PLAN, k, map_data(PLAN, bits[k])[1]) for k in range(3)])


def test_slow_samples_are_those_of_the_narrowband_frame(waveforms):
    # Delays of 4 ns at most are 4e-6 samples at 1 kHz; sinc(n - f) of a neighbour is then f / n at most.
    paths = draw_users(MODEL, 3, 2, seed=4)
    channel = UplinkChannel.from_plan(PLAN, paths, 1e3, beams=[3, 5], start=20, coherence_samples=500)
    x = np.concatenate([np.zeros((3, 20)), waveforms, np.zeros((3, channel.latency))], axis=1)
    y = channel.process(x)[:, 20 + channel.latency :]
    h = response(ARRAY, paths[0], normalise=False, dtype=np.complex128)
    expected = receive_over_the_air(PLAN, h, waveforms, [3, 5], 0.0, np.random.default_rng(0))
    assert np.abs(y - expected).max() < 1e-4 * np.abs(expected).max()
    np.testing.assert_allclose(channel.true_channel(100), h, rtol=1e-9, atol=1e-9)
    observed = receive_frame(PLAN, y).y
    np.testing.assert_allclose(observed, PLAN.operator.measure(h.astype(np.complex64)), atol=1e-3)


def test_data_beams_collect_most_power():
    paths = draw_users(MODEL, 3, seed=4)
    channel = UplinkChannel.from_plan(PLAN, paths, 1e6)
    h = response(ARRAY, paths[0], normalise=False, dtype=np.complex128).reshape(3, 2, 32)
    power = np.sum(np.abs(np.einsum("bn,ksn->bks", PLAN.codebook, h)) ** 2, axis=1)
    np.testing.assert_allclose(channel.combiners[PLAN.n_slots], PLAN.codebook[power.argmax(axis=0)])


@pytest.mark.parametrize("taps", [8, 12, 16, 20, 24, 28, 32])
def test_delay_filters_keep_their_accuracy(taps):
    fraction = np.linspace(0, 1, 23)[:-1]
    omega = np.pi * np.linspace(-PASSBAND, PASSBAND, 301)
    lag = np.arange(taps) - latency(taps)
    got = delay_filter(fraction, taps) @ np.exp(-1j * np.outer(lag, omega))
    error = np.abs(got - np.exp(-1j * np.outer(fraction, omega))).max()
    assert error < 3 * 10 ** (-kaiser_attenuation(taps) / 20)
    np.testing.assert_array_equal(delay_filter(0.0, taps), lag == 0)


def test_pieces_of_a_stream_equal_the_whole():
    hardware = Hardware.from_dict({"phase_noise": {"k2": 10.0}, "iq_imbalance": {"phase_deg": 1.0}}, 2e9)
    paths = draw_users(MODEL, 3, 4, max_doppler=1e6, seed=1)
    options = dict(coherence_samples=50, noise_var=0.2, hardware=hardware)
    channel = UplinkChannel.from_plan(PLAN, paths, 2e9, **options)
    rng = np.random.default_rng(3)
    x = rng.standard_normal((3, 333)) + 1j * rng.standard_normal((3, 333))
    whole = channel.process(x)
    channel.reset()
    cuts = [0, 1, 8, 9, 130, 200, 333]
    pieces = [channel.process(x[:, a:b]) for a, b in zip(cuts, cuts[1:])]
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole, atol=1e-12)


def test_doppler_continues_within_a_realisation_and_starts_anew_with_the_next():
    paths = draw_users(MODEL, 2, 2, max_doppler=1e6, seed=1)
    channel = UplinkChannel.from_plan(PLAN, paths, 1e9, coherence_samples=100)
    for sample, realisation, age in ((0, 0, 0), (40, 0, 40), (100, 1, 0), (170, 1, 70), (230, 0, 30)):
        expected = response(ARRAY, paths[realisation], time=age / 1e9, normalise=False, dtype=np.complex128)
        np.testing.assert_allclose(channel.true_channel(sample), expected, atol=1e-9)


def test_delays_count_from_the_reference_asked_for():
    paths = draw_users(MODEL, 3, 2, seed=1)
    common = UplinkChannel.from_plan(PLAN, paths, 1e9)
    own = UplinkChannel.from_plan(PLAN, paths, 1e9, delay_reference="user")
    assert common.delay.min() == 0 and np.ptp(common.reference_delay) == 0
    np.testing.assert_allclose(own.delay.min(axis=(0, 2)), 0)
    np.testing.assert_allclose(own.delay + own.reference_delay[:, None] * 1e9, paths.delay * 1e9, rtol=1e-12)


def test_phase_shifters_act_on_combiners_and_not_on_the_true_channel():
    paths = draw_users(MODEL, 3, seed=1)
    hardware = Hardware.from_dict({"phase_shifter": {"bits": 2, "gain_std_db": 1.0}})
    ideal = UplinkChannel.from_plan(PLAN, paths, 1e9)
    real = UplinkChannel.from_plan(PLAN, paths, 1e9, beams=[0, 0], hardware=hardware)
    wanted = hardware.combine(np.swapaxes(real.combiners, 0, 1))
    np.testing.assert_allclose(real.effective_combiners, np.swapaxes(wanted, 0, 1))
    np.testing.assert_array_equal(real.true_channel(0), ideal.true_channel(0))


def test_every_hardware_option_is_one_of_the_chain():
    config = {
        "user_frequency_offset": {"offset": (1.0, 2.0)},
        "user_phase_noise": {"k0": 1e-12, "k3": 1.0, "flicker_low": 10.0},
        "power_amplifier": {"saturation": 2.0},
        "low_noise_amplifier": {"input_backoff_db": 3.0},
        "frequency_offset": {"offset": 5.0, "phase": 0.1},
        "phase_noise": {"linewidth": 100.0, "shared": True},
        "iq_imbalance": {"amplitude_db": 0.1},
        "sampling_offset": {"ppm": 1.0},
        "adc": {"bits": 5, "loading": 3.0},
    }
    hardware = Hardware.from_dict(config, 1e9)
    options = hardware_options(hardware, 1e9)
    assert options["pa_input_power"] == 4.0 and options["pa_input_backoff_db"] == 0.0
    assert options["phase_noise_k2"] == pytest.approx(100 / (2 * np.pi))
    paths = draw_users(MODEL, 2, seed=1)
    channel = UplinkChannel.from_plan(PLAN, paths, 1e9, hardware=hardware)
    thzum.uplink_channel(channel.parameters())  # the chain refuses options it does not know


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(entries=(), lengths=()), "entries"),
        (dict(entries=(0, 1), lengths=(1,)), "lengths.*one per entry"),
        (dict(entries=(0,), lengths=(0,)), "lengths.*at least 1"),
        (dict(entries=(-1,), lengths=(1,)), "entries.*at least 0"),
        (dict(entries=(0.5,), lengths=(1,)), "entries.*integer"),
    ],
)
def test_wrong_schedules_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        CombinerSchedule(**arguments)


def test_wrong_users_are_named():
    with pytest.raises(ValueError, match="n_users"):
        draw_users(MODEL, 0)
    with pytest.raises(ValueError, match="model"):
        draw_users("preset", 2)
    with pytest.raises(ValueError, match="max_doppler"):
        draw_users(MODEL, 2, max_doppler=-1.0)
    with pytest.raises(ValueError, match="beams"):
        UplinkChannel.from_plan(PLAN, draw_users(MODEL, 2), 1e6, beams=[0, 10**6])
