# SPDX-License-Identifier: GPL-3.0-or-later
"""MIMO detection in float64 NumPy, written from the definitions and not shared with the library."""

import numpy as np


def bits_of(index, n_bits):
    """Bits of symbol indices, first bit most significant: [..., n_bits]."""
    return (np.asarray(index)[..., None] >> np.arange(n_bits - 1, -1, -1)) & 1


def gray_points(name):
    """Points by symbol index as the formulas of 3GPP TS 38.211, sections 5.1.2 to 5.1.6, give them."""
    n_bits = {"bpsk": 1, "qpsk": 2, "16qam": 4, "64qam": 6, "256qam": 8}[name]
    s = 1.0 - 2.0 * bits_of(np.arange(2**n_bits), n_bits).T
    if name == "bpsk":
        return (s[0] + 1j * s[0]) / np.sqrt(2)
    if name == "qpsk":
        return (s[0] + 1j * s[1]) / np.sqrt(2)
    if name == "16qam":
        return (s[0] * (2 - s[2]) + 1j * s[1] * (2 - s[3])) / np.sqrt(10)
    if name == "64qam":
        return (s[0] * (4 - s[2] * (2 - s[4])) + 1j * s[1] * (4 - s[3] * (2 - s[5]))) / np.sqrt(42)
    real = s[0] * (8 - s[2] * (4 - s[4] * (2 - s[6])))
    imag = s[1] * (8 - s[3] * (4 - s[5] * (2 - s[7])))
    return (real + 1j * imag) / np.sqrt(170)


def linear_filter(H, noise_var, kind):
    """Filter W with unit gain for each user, and the variance of the interference and noise behind it."""
    H = np.asarray(H, complex)
    if kind == "zf":
        W = np.linalg.pinv(H, rcond=1e-6)
    else:
        W = H.conj().T @ np.linalg.inv(H @ H.conj().T + noise_var * np.eye(len(H)))
    W = W / np.diag(W @ H)[:, None]
    leakage = W @ H - np.eye(H.shape[1])
    return W, np.sum(np.abs(leakage) ** 2, 1) + noise_var * np.sum(np.abs(W) ** 2, 1)


def soft_bits(x_hat, variance, name, exact):
    """log P(bit=0) / P(bit=1) over all points of the plane, of x_hat = x + CN(0, variance)."""
    points = gray_points(name)
    n_bits = int(np.log2(len(points)))
    metric = -np.abs(np.asarray(x_hat)[..., None] - points) ** 2 / np.asarray(variance)[..., None]
    reduce = np.logaddexp.reduce if exact else np.max
    ones = bits_of(np.arange(len(points)), n_bits).astype(bool)
    of_bit = [(metric[..., ~ones[:, b]], metric[..., ones[:, b]]) for b in range(n_bits)]
    return np.stack([reduce(zero, axis=-1) - reduce(one, axis=-1) for zero, one in of_bit], -1)


def complex_normal(rng, *shape):
    """CN(0, 1) samples."""
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) * np.sqrt(0.5)


def random_link(name, n_rx, n_tx, snr_db, count, seed):
    """count uses of i.i.d. channels: H, y, noise variance and sent symbols; SNR = E||Hx||^2 / E||n||^2."""
    rng = np.random.default_rng(seed)
    points = gray_points(name)
    sent = rng.integers(0, len(points), (count, n_tx))
    H = complex_normal(rng, count, n_rx, n_tx) / np.sqrt(n_rx)
    noise_var = n_tx / n_rx / 10 ** (snr_db / 10)
    y = np.einsum("brk,bk->br", H, points[sent]) + np.sqrt(noise_var) * complex_normal(rng, count, n_rx)
    return H, y, noise_var, sent
