# SPDX-License-Identifier: GPL-3.0-or-later
"""Noise by address against published answers and the normal law; statistical bounds are five standard errors."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.stats import kstest

from gnuradio.thzum.channel.counter_noise import Effect, complex_normal, normal, philox4x32, substream

# The known answers published with the Random123 library: counter, key, words.
KNOWN = [
    ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]


@pytest.mark.parametrize("counter, key, words", KNOWN)
def test_philox_gives_the_known_answers(counter, key, words):
    assert philox4x32(counter, key).tolist() == words


def test_the_table_for_the_library_holds_these_numbers():
    lines = (Path(__file__).parent / "data" / "counter_noise.txt").read_text().splitlines()
    assert len(lines) == 4
    for line in lines:
        seed, stream, first = (int(word) for word in line.split()[:3])
        table = np.array(line.split()[3:], float)
        assert normal(seed, stream, first, len(table)) == pytest.approx(table, rel=1e-8)


@settings(max_examples=30, deadline=None)
@given(first=st.integers(0, 2**40), skip=st.integers(0, 300), count=st.integers(0, 300))
def test_pieces_of_a_sequence_are_the_sequence(first, skip, count):
    stream = substream(Effect.THERMAL, 2, 1)
    assert np.array_equal(normal(3, stream, first, 600)[skip : skip + count], normal(3, stream, first + skip, count))


def test_numbers_are_standard_normal():
    n = 1 << 18
    z = normal(1, substream(Effect.PHASE_FLOOR), 0, n)
    # Variances of the sample moments: E z^2k - (E z^k)^2.
    for power, mean, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert np.mean(z**power) == pytest.approx(mean, abs=5 * np.sqrt(variance / n))
    assert kstest(z, "norm").pvalue > 1e-4
    # No number in a group differs in law from the others.
    assert np.abs(z.reshape(-1, 64).mean(axis=0)).max() < 5 / np.sqrt(n / 64)
    assert np.abs((z.reshape(-1, 64) ** 2).mean(axis=0) - 1).max() < 5 * np.sqrt(2 * 64 / n)


def test_complex_numbers_have_unit_variance_and_round_phase():
    n = 1 << 16
    z = complex_normal(1, Effect.THERMAL, 0, 0, n)
    assert np.mean(np.abs(z) ** 2) == pytest.approx(1, abs=5 / np.sqrt(n))
    assert abs(np.mean(z**2)) < 5 * np.sqrt(2 / n)
    assert kstest(np.angle(z) / (2 * np.pi) + 0.5, "uniform").pvalue > 1e-4


def test_sequences_are_uncorrelated_and_differ():
    n = 1 << 14
    streams = [substream(effect, index, part) for effect in Effect for index in (0, 1) for part in (0, 1)]
    assert len(set(streams)) == len(streams)
    z = np.array([normal(seed, stream, 0, n) for seed in (0, 1, 2**32) for stream in streams])
    # Squares too: dependence need not show in the numbers themselves.
    for values, variance in ((z, 1), (z**2 - 1, 4)):
        products = values @ values.T / n
        assert np.abs(products - np.diag(np.diag(products))).max() < 5.5 * np.sqrt(variance / n)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: normal(-1, 0, 0, 4), "seed: expected an integer from 0"),
        (lambda: normal(2**64, 0, 0, 4), "seed: expected an integer from 0"),
        (lambda: normal(0, 0, -1, 4), "first: expected an integer from 0"),
        (lambda: normal(0, 0, 0, -4), "count: expected an integer of at least 0"),
        (lambda: substream(Effect.THERMAL, 0, 256), "part: expected an integer from 0 to 255"),
        (lambda: substream(1, -1), "index: expected an integer from 0"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
