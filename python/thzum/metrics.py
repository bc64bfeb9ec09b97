# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of merit of estimates and decisions."""

import numpy as np


def _channel_pair(h_hat, h):
    h_hat, h = np.asarray(h_hat), np.asarray(h)
    if h.ndim == 0 or h_hat.shape != h.shape:
        raise ValueError(f"h_hat: expected the shape of h, {h.shape}, got {h_hat.shape}")
    for name, value in (("h_hat", h_hat), ("h", h)):
        if not np.isfinite(value).all():
            raise ValueError(f"{name}: expected finite numbers, got NaN or infinity")
    return h_hat, h


def nmse(h_hat, h):
    """Normalised squared error ||h_hat - h||^2 / ||h||^2 of each channel, linear, float64 [...].

    Args:
        h_hat: estimates, complex [..., N].
        h: true channels of the same shape, none of them all zero.

    >>> float(nmse(np.array([0.9, 0.0]), np.array([1.0, 0.0])).round(6))
    0.01
    """
    h_hat, h = _channel_pair(h_hat, h)
    wide = complex if np.iscomplexobj(h_hat) or np.iscomplexobj(h) else float
    power = np.sum(np.abs(h.astype(wide)) ** 2, axis=-1)
    if np.any(power == 0):
        raise ValueError("h: expected channels that are not all zero; leave absent users out")
    return np.sum(np.abs(h_hat.astype(wide) - h) ** 2, axis=-1) / power


def nmse_db(h_hat, h):
    """NMSE in dB, 10 log10 of the mean of :func:`nmse` over all channels; -inf for a perfect estimate."""
    with np.errstate(divide="ignore"):
        return float(10 * np.log10(np.mean(nmse(h_hat, h))))


def symbol_errors(decided, sent):
    """(errors, symbols) over the symbols that were sent.

    Args:
        decided: symbol indices, integers [...]; -1 where the detector takes the user for absent, which is
            an error if the user was there.
        sent: symbol indices of the same shape; -1 where nothing was sent, which is not counted.
    """
    decided, sent = np.asarray(decided), np.asarray(sent)
    if decided.shape != sent.shape:
        raise ValueError(f"decided: expected the shape of sent, {sent.shape}, got {decided.shape}")
    there = sent >= 0
    return int(np.sum(decided[there] != sent[there])), int(np.sum(there))


def ser(decided, sent):
    """Symbol error ratio, arguments as in :func:`symbol_errors`; NaN when no symbol was sent."""
    errors, count = symbol_errors(decided, sent)
    return errors / count if count else float("nan")


def ber(llr, bits):
    """Bit error ratio of hard decisions on ``llr`` = log P(0)/P(1) against ``bits`` of the same shape.

    An LLR of zero decides nothing and counts as half an error.
    """
    llr, bits = np.asarray(llr), np.asarray(bits)
    if llr.shape != bits.shape or llr.size == 0:
        raise ValueError(f"llr: expected the shape of bits, {bits.shape}, and not empty, got {llr.shape}")
    if np.isnan(llr).any():
        raise ValueError("llr: expected numbers, got NaN")
    wrong = np.where(llr == 0, 0.5, (llr < 0) != (bits == 1))
    return float(np.mean(wrong))


def spectral_efficiency(sinr):
    """Sum over streams of log2(1 + SINR) in bit/s/Hz, float64 [...]; ``sinr`` linear, >= 0, [..., K]."""
    sinr = np.asarray(sinr, float)
    if sinr.ndim == 0 or not (sinr >= 0).all():
        raise ValueError("sinr: expected linear ratios >= 0 with streams on the last axis")
    return np.sum(np.log2(1 + sinr), axis=-1)
