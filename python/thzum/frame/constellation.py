# SPDX-License-Identifier: GPL-3.0-or-later
"""Gray-mapped constellations of 3GPP TS 38.211, section 5.1, at unit energy.

The index of a point is its bits read as a number, first bit most significant.
"""

from functools import lru_cache

import numpy as np

_BITS = {"bpsk": 1, "qpsk": 2, "16qam": 4, "64qam": 6, "256qam": 8}


def constellation_names():
    """Names that :func:`constellation` knows."""
    return list(_BITS)


def bits_per_symbol(name):
    """Bits of one symbol of the constellation called ``name``; ValueError lists the known names."""
    try:
        return _BITS[name]
    except (KeyError, TypeError):
        raise ValueError(f"constellation: expected one of {constellation_names()}, got {name!r}") from None


def _axis_level(signs):
    # s0 [2^(m-1) - s1 [2^(m-2) - ... [2 - s_(m-1)]]] with s = 1 - 2b, TS 38.211 sections 5.1.3 to 5.1.6.
    n_signs = signs.shape[1]
    level = signs[:, -1]
    for k in range(n_signs - 2, -1, -1):
        level = signs[:, k] * (2.0 ** (n_signs - 1 - k) - level)
    return level


@lru_cache(maxsize=None)
def _points(name):
    n_bits = bits_per_symbol(name)
    signs = 1.0 - 2.0 * indices_to_bits(np.arange(2**n_bits), n_bits)
    quadrature = signs if n_bits == 1 else signs[:, 1::2]
    points = _axis_level(signs[:, 0::2]) + 1j * _axis_level(quadrature)
    points = points / np.sqrt(np.mean(np.abs(points) ** 2))
    points.setflags(write=False)
    return points


def constellation(name):
    """Points of "bpsk", "qpsk", "16qam", "64qam" or "256qam", complex128 [2^bits], E|x|^2 = 1 (read-only).

    >>> constellation("qpsk")[0].round(3)
    (0.707+0.707j)
    """
    bits_per_symbol(name)
    return _points(name)


def bits_to_indices(bits, n_bits):
    """Symbol indices int32 [..., n] of ``bits`` [..., n * n_bits], first bit of a symbol most significant."""
    bits = np.asarray(bits)
    if bits.ndim == 0 or bits.shape[-1] % n_bits:
        raise ValueError(f"bits: expected a multiple of {n_bits} on the last axis, got shape {bits.shape}")
    if not np.isin(bits, (0, 1)).all():
        raise ValueError("bits: expected values 0 and 1")
    groups = bits.reshape(*bits.shape[:-1], -1, n_bits).astype(np.int32)
    return groups @ (1 << np.arange(n_bits - 1, -1, -1, dtype=np.int32))


def indices_to_bits(indices, n_bits):
    """Bits uint8 [..., n_bits] of symbol ``indices`` [...]; the reverse of :func:`bits_to_indices`."""
    shifts = np.arange(n_bits - 1, -1, -1)
    return ((np.asarray(indices)[..., None] >> shifts) & 1).astype(np.uint8)
