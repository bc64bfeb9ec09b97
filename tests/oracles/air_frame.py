# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames on the air in float64 NumPy: what users send, and RF chains that see them through random combiners."""

import numpy as np


def root_raised_cosine(t, rolloff):
    """The pulse at ``t`` symbols, up to a factor."""
    t = np.asarray(t, float)
    edge = 4 * rolloff * t
    with np.errstate(divide="ignore", invalid="ignore"):
        pulse = (np.sin(np.pi * t * (1 - rolloff)) + edge * np.cos(np.pi * t * (1 + rolloff))) / (
            np.pi * t * (1 - edge**2)
        )
    corner = np.pi / (4 * rolloff)
    at_edge = rolloff / np.sqrt(2) * ((1 + 2 / np.pi) * np.sin(corner) + (1 - 2 / np.pi) * np.cos(corner))
    pulse[np.abs(np.abs(edge) - 1) < 1e-9] = at_edge
    pulse[np.abs(t) < 1e-9] = 1 - rolloff + 4 * rolloff / np.pi
    return pulse


def frame_symbols(air, user, data):
    """Symbols [n_symbols] of a user with ``data`` [n_data]."""
    symbols = air.known_symbols(user).astype(complex)
    symbols[[air.data_symbol(i) for i in range(air.n_data)]] = data
    return symbols


def waveform(air, symbols, instants):
    """The shaped ``symbols`` at ``instants``, in samples from the centre of symbol 0."""
    step, half = air.samples_per_symbol, air.span / 2
    taps = np.arange(-air.span * step // 2, air.span * step // 2 + 1) / step
    scale = 1 / np.sqrt(np.sum(root_raised_cosine(taps, air.rolloff) ** 2))
    at = np.asarray(instants) / step
    out = np.zeros(len(at), complex)
    for offset in range(-int(half) - 1, int(half) + 2):
        m = np.round(at).astype(int) + offset
        t = at - m
        inside = (np.abs(t) <= half) & (m >= 0) & (m < len(symbols))
        out[inside] += scale * root_raised_cosine(t[inside], air.rolloff) * symbols[m[inside]]
    return out


def entry_of_symbols(air):
    """Combiner entry at every symbol, -1 in guards."""
    entry = np.full(air.n_symbols, -1)
    for _, first, length, row, _ in air.blocks():
        entry[first : first + length] = row
    return entry


def received(air, gains, data, noise_var, rng, start=0.0, cfo=0.0, count=None, phase=None, user_cfo=None):
    """Samples [S, count] of one frame: gains [S, E, K] of the chains by combiner entry, data [K, n_data].

    ``start`` is the instant of symbol 0 in samples, ``cfo`` in cycles per symbol, ``phase`` [count] more turns
    in radians, ``user_cfo`` [K] what users have of their own, in cycles per symbol with phase zero at symbol 0.
    """
    step = air.samples_per_symbol
    count = int(air.n_samples + start + 50) if count is None else count
    instants = np.arange(count) - start
    entries, lengths = air.schedule()
    edges = start + np.concatenate([[0], np.cumsum(lengths)])
    entry = np.asarray(entries)[np.clip(np.searchsorted(edges, np.arange(count), "right") - 1, 0, len(entries) - 1)]
    y = np.zeros((gains.shape[0], count), complex)
    for k, row in enumerate(data):
        own = 0.0 if user_cfo is None else user_cfo[k]
        x = waveform(air, frame_symbols(air, k, row), instants) * np.exp(2j * np.pi * own * instants / step)
        y += gains[:, entry, k] * x
    turn = 2j * np.pi * cfo * np.arange(count) / step
    y = y * np.exp(turn if phase is None else turn + 1j * phase)
    noise = rng.standard_normal((2, *y.shape))
    return y + np.sqrt(noise_var / 2) * (noise[0] + 1j * noise[1])
