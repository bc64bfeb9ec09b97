# SPDX-License-Identifier: GPL-3.0-or-later
"""Pilot plan, constellations, codebook, and the frame from the users' bits to the reference receiver."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from gnuradio.thzum import frame
from gnuradio.thzum.array import SubarrayArray

SMALL = SubarrayArray(sub_rows=1, sub_cols=2, rows=4, cols=4, carrier_frequency=300e9, spacing=0.2, gap=56.0)


def random_rows(rng, array, n_slots):
    shape = (array.n_subarrays, n_slots, array.rows * array.cols)
    return rng.choice([-1, 1], shape) / np.sqrt(shape[2])


def small_plan(n_slots=6, n_users=3, seed=0, **options):
    rows = random_rows(np.random.default_rng(seed), SMALL, n_slots)
    return frame.PilotPlan(SMALL, n_slots, n_users, combiner=rows, **options)


def random_channels(rng, plan, n):
    shape = (n, plan.n_antennas)
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / np.sqrt(2)


# TS 38.211 section 5.1 written out for the first quadrant of each map.
@pytest.mark.parametrize(
    "name, index, point",
    [
        ("bpsk", 0, (1 + 1j) / np.sqrt(2)),
        ("bpsk", 1, (-1 - 1j) / np.sqrt(2)),
        ("qpsk", 0b01, (1 - 1j) / np.sqrt(2)),
        ("qpsk", 0b10, (-1 + 1j) / np.sqrt(2)),
        ("16qam", 0b0000, (1 + 1j) / np.sqrt(10)),
        ("16qam", 0b0010, (3 + 1j) / np.sqrt(10)),
        ("16qam", 0b0111, (3 - 3j) / np.sqrt(10)),
        ("64qam", 0b000000, (3 + 3j) / np.sqrt(42)),
        ("64qam", 0b001000, (5 + 3j) / np.sqrt(42)),
        ("64qam", 0b101011, (-7 + 1j) / np.sqrt(42)),
        ("256qam", 0b00000000, (5 + 5j) / np.sqrt(170)),
        ("256qam", 0b10101011, (-15 + 7j) / np.sqrt(170)),
    ],
)
def test_constellations_follow_the_standard(name, index, point):
    assert frame.constellation(name)[index] == pytest.approx(point)


@pytest.mark.parametrize("name", frame.constellation_names())
def test_constellation_is_gray_with_unit_energy(name):
    points = frame.constellation(name)
    assert np.mean(np.abs(points) ** 2) == pytest.approx(1)
    assert len(np.unique(points.round(9))) == len(points) == 2 ** frame.bits_per_symbol(name)
    distance = np.abs(points[:, None] - points)
    nearest = np.isclose(distance, distance[distance > 1e-9].min())
    differing = np.bitwise_xor.outer(np.arange(len(points)), np.arange(len(points)))[nearest]
    assert all(bin(d).count("1") == 1 for d in differing)


def test_bits_and_indices_are_inverse():
    indices = np.arange(64).reshape(2, 32)
    bits = frame.indices_to_bits(indices, 6)
    np.testing.assert_array_equal(frame.bits_to_indices(bits.reshape(2, -1), 6), indices)
    with pytest.raises(ValueError, match="multiple of 4"):
        frame.bits_to_indices([0, 1, 1], 4)
    with pytest.raises(ValueError, match="0 and 1"):
        frame.bits_to_indices([0, 2], 2)


def test_plan_describes_the_frame():
    plan = frame.PilotPlan("thz300_aosa4x256", n_slots=128)
    assert (plan.n_subarrays, plan.n_elements, plan.n_antennas, plan.n_observations) == (4, 256, 1024, 512)
    assert (plan.pilot_offset, plan.data_offset, plan.frame_length) == (64, 576, 768)
    assert plan.data_sections == [("qpsk", 0, 96), ("16qam", 96, 96)]
    assert frame.data_bits(plan) == 96 * 2 + 96 * 4
    assert "n_slots=128" in repr(plan) and "hadamard, seed=1" in repr(plan)


@pytest.mark.parametrize("n_users", [1, 2, 3, 4, 7])
def test_user_sequences_are_orthogonal_with_unit_modulus(n_users):
    x = small_plan(n_users=n_users).user_sequences
    np.testing.assert_allclose(x @ x.conj().T, n_users * np.eye(n_users), atol=1e-5)
    np.testing.assert_allclose(np.abs(x), 1, atol=1e-6)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(array="nowhere", n_slots=4), "expected one of"),
        (dict(array=3, n_slots=4), "array: expected a SubarrayArray"),
        (dict(array=SMALL, n_slots=0), "n_slots: expected an integer of at least 1"),
        (dict(array=SMALL, n_slots=2.5), "n_slots"),
        (dict(array=SMALL, n_slots=4, n_users=0), "n_users"),
        (dict(array=SMALL, n_slots=4, n_noise=0), "n_noise"),
        (dict(array=SMALL, n_slots=17), "n_slots <= rows"),
        (dict(array=SMALL, n_slots=4, combiner="random"), '"hadamard" or an array'),
        (dict(array=SMALL, n_slots=4, combiner=np.ones((2, 4, 15))), r"\(2, 4, 16\)"),
        (dict(array=SMALL, n_slots=4, combiner=np.zeros((2, 4, 16))), "none of them all zero"),
        (dict(array=SMALL, n_slots=4, combiner=np.full((2, 4, 16), np.nan)), "finite"),
        (dict(array=SMALL, n_slots=4, modulations=("qpsk", "psk9")), "psk9"),
        (dict(array=SMALL, n_slots=4, n_data=193), "multiple of the number of modulations"),
    ],
)
def test_plan_refuses_what_does_not_fit(arguments, message):
    with pytest.raises(ValueError, match=message):
        frame.PilotPlan(**arguments)


def test_codebook_lies_in_the_visible_region_and_covers_it():
    plan = frame.PilotPlan("thz300_aosa4x256", n_slots=128)
    beams = plan.codebook
    np.testing.assert_allclose(np.linalg.norm(beams, axis=1), 1, atol=1e-5)
    rng = np.random.default_rng(3)
    radius, angle = 0.2 * np.sqrt(rng.random(300)), 2 * np.pi * rng.random(300)
    v, u = radius * np.sin(angle), radius * np.cos(angle)
    k = np.arange(16)
    wave = np.exp(2j * np.pi * (v[:, None, None] * k[:, None] + u[:, None, None] * k)).reshape(300, 256)
    gain = np.max(np.abs(wave @ beams.T) ** 2, axis=1)
    # Half a bin of the two-fold grid loses 0.91 dB per axis; at the rim the nearest beam can be a bin away.
    assert gain.max() <= 256 * (1 + 1e-5)
    assert np.median(10 * np.log10(gain / 256)) > -1.0
    assert 10 * np.log10(gain.min() / 256) > -4.0


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 8), st.integers(1, 5), st.integers(2, 9), st.integers(0, 6), st.integers(0, 2**32 - 1))
def test_noiseless_frame_gives_back_pilots_and_data(n_slots, n_users, n_noise, half_data, seed):
    rng = np.random.default_rng(seed)
    rows = random_rows(rng, SMALL, n_slots)
    plan = frame.PilotPlan(SMALL, n_slots, n_users, combiner=rows, n_noise=n_noise, n_data=2 * half_data)
    h = random_channels(rng, plan, n_users)
    bits = rng.integers(0, 2, (n_users, frame.data_bits(plan)))
    indices, symbols = frame.map_data(plan, bits)
    np.testing.assert_array_equal(symbols, frame.map_indices(plan, indices))
    waveforms = [frame.transmit_frame(plan, k, symbols[k]) for k in range(n_users)]
    beams = rng.integers(0, plan.n_beams, plan.n_subarrays)
    samples = frame.receive_over_the_air(plan, h, waveforms, beams, 0.0, rng)
    received = frame.receive_frame(plan, samples)

    expected = np.einsum("sqn,ksn->ksq", rows, h.reshape(n_users, plan.n_subarrays, -1))
    np.testing.assert_allclose(received.y, expected.reshape(n_users, -1), atol=1e-5)
    data = symbols.T @ frame.effective_channel(plan, h, beams).T
    np.testing.assert_allclose(received.data, data, atol=1e-5)
    assert received.noise_var == 0


def test_noise_is_white_at_the_announced_level():
    n_noise, noise_var = 2000, 0.7
    plan = small_plan(n_slots=16, n_noise=n_noise, n_data=0)
    rng = np.random.default_rng(5)
    silence = np.zeros((1, plan.frame_length))
    h = np.zeros((1, plan.n_antennas))
    received = frame.receive_frame(
        plan, frame.receive_over_the_air(plan, h, silence, [0, 0], noise_var, rng)
    )
    expected = noise_var / plan.n_users
    # Mean of S * n_noise exponential powers: standard deviation expected / sqrt(S * n_noise); 4 sigma.
    assert abs(received.noise_var - expected) < 4 * expected / np.sqrt(plan.n_subarrays * n_noise)
    # The observations carry that very variance, K * M of them.
    measured = np.mean(np.abs(received.y) ** 2)
    assert abs(measured - expected) < 4 * expected / np.sqrt(received.y.size)


def test_bad_samples_and_beams_are_refused():
    plan = small_plan()
    with pytest.raises(ValueError, match="samples: expected shape"):
        frame.receive_frame(plan, np.zeros((2, 5)))
    samples = np.zeros((2, plan.frame_length), complex)
    samples[1, 3] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        frame.receive_frame(plan, samples)
    with pytest.raises(ValueError, match="beams: expected 2 indices"):
        frame.frame_combiner(plan, [0, plan.n_beams])
    with pytest.raises(ValueError, match="user: expected 0 to 2"):
        frame.transmit_frame(plan, 3, np.zeros(plan.n_data))
    with pytest.raises(ValueError, match="bits: expected"):
        frame.map_data(plan, np.zeros(7, int))
