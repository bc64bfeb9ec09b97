# SPDX-License-Identifier: GPL-3.0-or-later
"""Channel statistics against closed forms."""

import json

import numpy as np
import pytest

from gnuradio.thzum.channel import ChannelConfig, PathTable, statistics

T = 4e-9


def table(amplitude, delay, doppler=None, **fields):
    amplitude, delay = np.asarray(amplitude, float), np.asarray(delay, float)
    zero = np.zeros(amplitude.shape)
    return PathTable(
        amplitude, delay, zero + 10, zero, zero, zero > 0,
        doppler=None if doppler is None else np.asarray(doppler, float), **fields,
    )


def test_two_equal_paths():
    # Each at T / 2 from their mean; |R(df)| = |cos(pi df T)|, which is 1/2 at df = 1 / (3 T).
    paths = table([[1, 1]], [[1e-6, 1e-6 + T]])
    assert statistics.k_factor(paths) == pytest.approx([1])
    assert statistics.mean_excess_delay(paths) == pytest.approx([T / 2])
    assert statistics.rms_delay_spread(paths) == pytest.approx([T / 2], rel=1e-6)
    assert statistics.coherence_bandwidth(paths) == pytest.approx([2 / (5 * T)], rel=1e-6)
    assert statistics.coherence_bandwidth(paths, "correlation") == pytest.approx([1 / (3 * T)], rel=1e-6)
    wide = statistics.coherence_bandwidth(paths, "correlation", level=0.9)
    assert wide == pytest.approx([np.arccos(0.9) / (np.pi * T)], rel=1e-6)


def test_exponential_profile():
    # Power exp(-t / tau): spread tau, R = 1 / (1 + j 2 pi df tau). Steps of tau / 200 and 20 tau of it leave 1e-4.
    tau = 3e-9
    delay = np.arange(4000) * tau / 200
    paths = table(np.exp(-0.5 * delay / tau), delay)
    assert statistics.rms_delay_spread(paths) == pytest.approx(tau, rel=1e-3)
    assert statistics.mean_excess_delay(paths) == pytest.approx(tau, rel=5e-3)
    expected = np.sqrt(3) / (2 * np.pi * tau)
    assert statistics.coherence_bandwidth(paths, "correlation") == pytest.approx(expected, rel=5e-3)


def test_weights_are_powers_and_places_without_a_path_count_for_nothing():
    paths = table([[2, 1, 1, 0]], [[0, T, 2 * T, 1.0]])
    assert statistics.k_factor(paths) == pytest.approx([2])
    assert statistics.mean_excess_delay(paths) == pytest.approx([(T + 2 * T) / 6])
    assert statistics.channel_loss_db(paths) == pytest.approx([-10 * np.log10(6)])
    late = table([[0, 1, 1]], [[0, T, 2 * T]])
    assert statistics.mean_excess_delay(late) == pytest.approx([T / 2])
    assert statistics.k_factor(late) == [0]


def test_small_spreads_of_long_delays_keep_their_digits():
    paths = table([1, 1], [1e-3, 1e-3 + 1e-12])
    # Delays of 1 ms are known to 2e-19 s.
    assert statistics.rms_delay_spread(paths) == pytest.approx(0.5e-12, rel=1e-5)


def test_visibility_weights_the_power():
    visible = np.ones((1, 2, 4), bool)
    visible[0, 1, :3] = False
    paths = table([[1, 1]], [[0, T]], visible=visible)
    assert statistics.k_factor(paths) == pytest.approx([4])
    assert statistics.mean_excess_delay(paths) == pytest.approx([T / 5])


def test_channels_of_one_path_or_none():
    one = table([[1.0, 0.0]], [[T, 0.0]])
    assert statistics.k_factor(one) == [np.inf]
    assert statistics.rms_delay_spread(one) == [0]
    for definition in statistics.BANDWIDTH_DEFINITIONS:
        assert statistics.coherence_bandwidth(one, definition) == [np.inf]
    none = table([[0.0, 0.0]], [[T, 0.0]])
    assert np.isnan(statistics.rms_delay_spread(none))
    assert statistics.channel_loss_db(none) == [np.inf]


def test_a_strong_path_never_decorrelates():
    # The weaker path can take away no more than 2/5 of the sum.
    paths = table([[2, 1]], [[0, T]])
    assert statistics.coherence_bandwidth(paths, "correlation") == [np.inf]
    expected = np.arccos((0.65**2 - 0.64 - 0.04) / 0.32) / (2 * np.pi * T)
    assert statistics.coherence_bandwidth(paths, "correlation", level=0.65) == pytest.approx([expected], rel=1e-6)


def test_two_opposite_dopplers():
    paths = table([[1, 1]], [[0, 0]], doppler=[[-80.0, 80.0]])
    assert statistics.doppler_spread(paths) == pytest.approx([80])
    assert statistics.maximum_doppler(paths) == pytest.approx([80])
    assert statistics.coherence_time(paths) == pytest.approx([1 / (6 * 80)], rel=1e-6)
    assert statistics.coherence_time(paths, "maximum") == pytest.approx([9 / (16 * np.pi * 80)])
    assert statistics.coherence_time(table([[1, 1]], [[0, T]])) == [np.inf]


def test_ring_of_scatterers_follows_clarke():
    # Uniform angles give J_0(2 pi dt nu), which is 1/2 at 1.5211 / (2 pi nu); 360 of them are as good as all.
    angle = 2 * np.pi * (np.arange(360) + 0.5) / 360
    paths = table(np.ones(360), np.zeros(360), doppler=50 * np.cos(angle))
    assert statistics.doppler_spread(paths) == pytest.approx(50 / np.sqrt(2), rel=1e-9)
    assert statistics.coherence_time(paths) == pytest.approx(1.52110 / (2 * np.pi * 50), rel=1e-4)


def frequency_channels(amplitude, delay, count=256, bandwidth=16e9, n=3):
    frequencies = 300e9 + (np.arange(count) - count // 2) * bandwidth / count
    h = np.exp(-2j * np.pi * np.outer(frequencies, delay)) @ np.asarray(amplitude, complex)
    return (h[:, None] * np.exp(1j * np.arange(n))).astype(np.complex64), frequencies


def test_coherence_bandwidth_of_channels():
    # 64 beats of the two paths fit into the band: their cross terms cancel, and linear interpolation between
    # subcarriers of a quarter of a beat / 12 is right to 1 %.
    h, frequencies = frequency_channels([1, 1], [90e-9, 90e-9 + T], count=1024)
    assert statistics.frequency_correlation(h)[0] == pytest.approx(1)
    both = statistics.coherence_bandwidth_of_channels(np.stack([h, 2 * h]), frequencies)
    assert both == pytest.approx([1 / (3 * T)] * 2, rel=0.02)
    flat, frequencies = frequency_channels([1], [90e-9])
    assert np.abs(statistics.frequency_correlation(flat)) == pytest.approx(np.ones(256), rel=1e-4)
    assert statistics.coherence_bandwidth_of_channels(flat, frequencies) == np.inf


def test_power_delay_profile_on_its_grid():
    # Delays on the grid of 1 / bandwidth are single samples of the profile without a window.
    step = 1 / 16e9
    h, frequencies = frequency_channels([1, 0.5], [10 * step, 14 * step])
    delays, power = statistics.power_delay_profile(h, frequencies, "rectangular")
    assert delays[1] == pytest.approx(step)
    expected = np.zeros(256)
    expected[[10, 14]] = 3, 0.75
    assert power == pytest.approx(expected, abs=1e-5)
    assert power.sum() == pytest.approx(np.mean(np.sum(np.abs(h) ** 2, axis=1)), rel=1e-5)
    spread = 4 * step * np.sqrt(0.8 * 0.2)
    assert statistics.delay_spread_of_channels(h, frequencies, "rectangular") == pytest.approx(spread, rel=1e-3)
    # Around the end of the unambiguous range it is the same.
    h, frequencies = frequency_channels([1, 0.5], [1022 * step, 1026 * step])
    assert statistics.delay_spread_of_channels(h, frequencies, "rectangular") == pytest.approx(spread, rel=1e-3)


def test_window_width_is_as_documented():
    h, frequencies = frequency_channels([1], [33.3 / 16e9])
    assert statistics.delay_spread_of_channels(h, frequencies) == pytest.approx(0.7 / 16e9, rel=0.2)


def matrix_of(values, k=4, n=50, seed=0):
    rng = np.random.default_rng(seed)
    left = np.linalg.qr(rng.standard_normal((k, k)) + 1j * rng.standard_normal((k, k)))[0]
    right = np.linalg.qr(rng.standard_normal((n, k)) + 1j * rng.standard_normal((n, k)))[0]
    return (left * values) @ right.conj().T


def test_rank_and_condition_of_matrices_with_known_singular_values():
    values = np.array([4.0, 2.0, 1.0, 1.0])
    h = np.stack([matrix_of(values), matrix_of([1.0, 1, 1, 1], seed=1), matrix_of([1.0, 1, 0, 0], seed=2)])
    assert statistics.singular_values(h)[0] == pytest.approx(values)
    assert statistics.rank(h).tolist() == [4, 4, 2]
    assert statistics.rank(h.astype(np.complex64)).tolist() == [4, 4, 2]
    assert statistics.rank(h, tolerance=0.4).tolist() == [2, 4, 2]
    share = values / values.sum()
    assert statistics.effective_rank(h) == pytest.approx([np.exp(-np.sum(share * np.log(share))), 4, 2], rel=1e-6)
    assert statistics.condition_number(h)[:2] == pytest.approx([4, 1])
    assert statistics.condition_number(h)[2] > 1e12


def test_scene_has_the_k_factor_asked_for_and_the_doppler_of_its_speed():
    config = ChannelConfig.from_dict(
        {
            "array": "thz300_aosa4x256",
            "model": {
                "scene": {
                    "users": {"kind": "sector"},
                    "line_of_sight": {"k_factor_db": 7},
                    "clusters": {},
                    "mobility": {"speed": 3.0},
                }
            },
            "users": 2,
        }
    )
    batch = config.draw(20)
    assert 10 * np.log10(statistics.k_factor(batch.paths)) == pytest.approx(np.full((20, 2), 7.0))
    # The line of sight moves at most with the speed of 3 m/s: 3 kHz at 300 GHz.
    assert np.all(statistics.maximum_doppler(batch.paths) <= 3000 * (1 + 1e-9))
    assert np.max(statistics.maximum_doppler(batch.paths)) > 1500
    assert np.median(statistics.channel_loss_db(batch.paths)) > 80


@pytest.mark.parametrize("users", [None, 3])
@pytest.mark.parametrize("frequencies", [None, {"bandwidth": 5e9, "subcarriers": 8}])
def test_summary_of_every_shape(users, frequencies):
    config = {"model": "thz300_aosa4x256", "users": users, "frequencies": frequencies, "batch": 6}
    found = statistics.summary(ChannelConfig.from_dict(config).draw())
    assert ("rank" in found) == (users is not None)
    assert ("coherence_bandwidth_of_channels" in found) == (frequencies is not None)
    assert "path_loss" not in found and "doppler_spread" not in found
    assert 1e-9 < found["rms_delay_spread"]["median"] < 6e-9
    row = found["rms_delay_spread"]
    assert row["low"] <= row["median"] <= row["high"]
    json.dumps(found, allow_nan=False)


def test_bad_arguments():
    paths = table([[1, 1]], [[0, T]])
    h, frequencies = frequency_channels([1], [0.0], count=8)
    for call, text in (
        (lambda: statistics.coherence_bandwidth(paths, "corelation"), "definition.*did you mean 'correlation'"),
        (lambda: statistics.coherence_bandwidth(paths, "correlation", level=1.5), "level"),
        (lambda: statistics.coherence_time(paths, "rms"), "definition"),
        (lambda: statistics.rank(np.ones((3, 4))), "channels: expected complex"),
        (lambda: statistics.power_delay_profile(h, frequencies[:3]), "frequencies"),
        (lambda: statistics.power_delay_profile(h, frequencies**2), "frequencies: expected a uniform"),
        (lambda: statistics.power_delay_profile(h, frequencies, "kaiser"), "window"),
    ):
        with pytest.raises(ValueError, match=text):
            call()
