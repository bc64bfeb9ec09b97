# SPDX-License-Identifier: GPL-3.0-or-later
"""Iterative MIMO detectors in float64, one vector at a time, written from the papers' formulas.

All return the estimates and error variances of the real amplitudes behind the last linear step: in-phase parts of
the users, then quadrature parts; for BPSK one amplitude per user along the diagonal of the plane.
"""

import itertools

import numpy as np

from oracles.detection import gray_points


def real_problem(H, y, noise_var, name):
    """Real H and y, noise variance of a row, and the levels of an amplitude."""
    points = gray_points(name)
    if name == "bpsk":
        turned = H * (1 + 1j) / np.sqrt(2)
        real_H, levels = np.vstack([turned.real, turned.imag]), np.array([1.0, -1.0])
    else:
        real_H = np.block([[H.real, -H.imag], [H.imag, H.real]])
        levels = np.unique(points.real.round(12))
    return real_H, np.concatenate([y.real, y.imag]), noise_var / 2, levels


def posterior(r, v, levels):
    """Mean and variance of amplitudes drawn from the levels and seen in Gaussian noise of variance v."""
    log_p = -((r[:, None] - levels) ** 2) / (2 * v[:, None])
    p = np.exp(log_p - log_p.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    mean = p @ levels
    return mean, np.sum(p * (levels - mean[:, None]) ** 2, 1)


def amp(H, y, noise_var, name, iterations=10, damping=0.3):
    """Sum-product GAMP (Rangan 2011) with damping as He et al. 2024 use it."""
    A, y, s2, levels = real_problem(H, y, noise_var, name)
    x, v = np.zeros(A.shape[1]), np.full(A.shape[1], np.mean(levels**2))
    for t in range(iterations):
        new_V = A**2 @ v
        if t == 0:
            W, V = A @ x, new_V
        else:
            x, v = posterior(r, s, levels)
            new_V = A**2 @ v
            new_W = A @ x - new_V * (y - W) / (s2 + V)
            W = (1 - damping) * new_W + damping * W
            V = (1 - damping) * new_V + damping * V
        s = 1 / ((A**2).T @ (1 / (s2 + V)))
        r = x + s * (A.T @ ((y - W) / (s2 + V)))
    return r, s


def oamp(H, y, noise_var, name, iterations=10):
    """Ma and Ping 2017: de-correlated LMMSE filter and divergence-free posterior mean."""
    A, y, s2, levels = real_problem(H, y, noise_var, name)
    m, n = A.shape
    x, v2 = np.zeros(n), np.mean(levels**2)
    for t in range(iterations):
        residual = y - A @ x
        if t > 0:
            v2 = max((residual @ residual - m * s2) / np.sum(A**2), 1e-9)
        W = A.T @ np.linalg.inv(A @ A.T + s2 / v2 * np.eye(m))
        W *= n / np.trace(W @ A)
        r = x + W @ residual
        tau2 = (np.sum((np.eye(n) - W @ A) ** 2) * v2 + np.sum(W**2) * s2) / n
        mean, variance = posterior(r, np.full(n, tau2), levels)
        c = min(variance.mean(), 0.999 * tau2)
        x = (mean / c - r / tau2) / (1 / c - 1 / tau2)
    return r, np.full(n, tau2)


def ep(H, y, noise_var, name, iterations=10, smoothing=0.9):
    """Cespedes et al. 2014, decided on the cavity."""
    A, y, s2, levels = real_problem(H, y, noise_var, name)
    n = A.shape[1]
    precision, shift = np.full(n, 1 / np.mean(levels**2)), np.zeros(n)
    for t in range(iterations):
        if t > 0:
            mean, variance = posterior(r, v, levels)
            variance = np.maximum(variance, 5e-7)
            usable = 1 / variance > 1 / v
            part = (1 - smoothing) * usable
            precision = precision + part * (1 / variance - 1 / v - precision)
            shift = shift + part * (mean / variance - r / v - shift)
        covariance = np.linalg.inv(A.T @ A / s2 + np.diag(precision))
        mu, d = covariance @ (A.T @ y / s2 + shift), np.diag(covariance)
        v = 1 / (1 / d - precision)
        r = v * (mu / d - shift)
    return r, v


def best_vector(H, y, name):
    """Indices of the symbols nearest to y, by trying all of them."""
    points = gray_points(name)
    every = np.array(list(itertools.product(range(len(points)), repeat=H.shape[1])))
    return every[np.argmin(np.sum(np.abs(y - points[every] @ H.T) ** 2, 1))]


def exact_bits(H, y, noise_var, name, exact):
    """log P(bit=0) / P(bit=1) given y, by summing over (or taking the best of) all vectors: [users, bits]."""
    points = gray_points(name)
    n_bits = int(np.log2(len(points)))
    every = np.array(list(itertools.product(range(len(points)), repeat=H.shape[1])))
    log_p = -np.sum(np.abs(y - points[every] @ H.T) ** 2, 1) / noise_var
    reduce = np.logaddexp.reduce if exact else np.max
    bit = (every[:, :, None] >> np.arange(n_bits - 1, -1, -1)) & 1
    return np.array(
        [
            [reduce(log_p[bit[:, k, b] == 0]) - reduce(log_p[bit[:, k, b] == 1]) for b in range(n_bits)]
            for k in range(H.shape[1])
        ]
    )


def join(r, v, name):
    """Complex estimates and error variances of real amplitudes."""
    if name == "bpsk":
        return r * (1 + 1j) / np.sqrt(2), 2 * v
    n = len(r) // 2
    return r[:n] + 1j * r[n:], v[:n] + v[n:]
