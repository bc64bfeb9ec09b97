# SPDX-License-Identifier: GPL-3.0-or-later
"""Channel estimators in NumPy float64, written from the equations and on dense matrices throughout.

Every function works on one channel: y [M] complex128, h [N]. The C++ estimators are compared with these.
"""

import numpy as np


def dft_atoms(rows, cols):
    """Orthonormal 2-D DFT dictionary [n, n]: h = D c with c = F^H h, the angular domain."""

    def axis(size):
        grid = np.arange(size)
        return np.exp(-2j * np.pi * np.outer(grid, grid) / size) / np.sqrt(size)

    return np.kron(axis(rows), axis(cols))


class Model:
    """z = diag(s) V^H c + n with white n, of a combiner [S, Q, n] and a dictionary D [n, k]."""

    def __init__(self, combiner, atoms, noise_model="per_slot"):
        self.combiner = np.asarray(combiner, complex)
        self.atoms = np.asarray(atoms, complex)
        self.n_subarrays, self.n_slots, self.n = self.combiner.shape
        self.n_antennas = self.n_subarrays * self.n
        self.n_coefficients = self.n_subarrays * self.atoms.shape[1]
        whiteners, u, s, vh = [], [], [], []
        for rows in self.combiner:
            if noise_model == "per_slot":
                whitener = np.diag(1 / np.linalg.norm(rows, axis=1))
            else:
                left, values, _ = np.linalg.svd(rows, full_matrices=False)
                whitener = (left / values).conj().T
            factors = np.linalg.svd(whitener @ rows @ self.atoms, full_matrices=False)
            whiteners.append(whitener)
            for store, factor in zip((u, s, vh), factors):
                store.append(factor)
        self.whiteners, self.u, self.s, self.vh = map(np.array, (whiteners, u, s, vh))

    def observe(self, y):
        white = np.einsum("srq,sq->sr", self.whiteners, np.reshape(y, (self.n_subarrays, -1)))
        return np.einsum("srk,sr->sk", self.u.conj(), white)

    def to_singular(self, c):
        return np.einsum("srk,sk->sr", self.vh, np.reshape(c, (self.n_subarrays, -1)))

    def from_singular(self, z):
        return np.einsum("srk,sr->sk", self.vh.conj(), z).ravel()

    def synthesize(self, c):
        return (np.reshape(c, (self.n_subarrays, -1)) @ self.atoms.T).ravel()

    def analyze(self, h):
        return (np.reshape(h, (self.n_subarrays, -1)) @ self.atoms.conj()).ravel()

    def matrix(self):
        """G, block diagonal [S r, S k]."""
        r, k = self.vh.shape[1:]
        dense = np.zeros((self.n_subarrays * r, self.n_subarrays * k), complex)
        for i, (s, vh) in enumerate(zip(self.s, self.vh)):
            dense[i * r : (i + 1) * r, i * k : (i + 1) * k] = s[:, None] * vh
        return dense

    def scaled(self, y, noise_var):
        """z and noise variance at unit channel power, and the amplitude that was taken out."""
        z = self.observe(y)
        gain = self.n_antennas / self.n_coefficients * np.sum(self.s**2)
        energy = np.sum(np.abs(z) ** 2)
        power = max(energy - z.size * noise_var, np.sqrt(z.size) * noise_var) / gain
        return z / np.sqrt(power), noise_var / power, np.sqrt(power)


def ls(model, y, noise_var):
    z, noise_var, amplitude = model.scaled(y, noise_var)
    c = np.linalg.pinv(model.matrix()) @ z.ravel()
    lost = (model.n_coefficients - z.size) / model.n_coefficients
    nmse = noise_var * np.sum(model.s**-2.0) / model.n_antennas + lost
    return amplitude * model.synthesize(c), nmse


def lmmse(model, y, noise_var, covariance):
    """model is over the identity dictionary, covariance [N, N]."""
    z, noise_var, amplitude = model.scaled(y, noise_var)
    covariance = covariance * model.n_antennas / np.trace(covariance).real
    a = model.matrix()
    cross = covariance @ a.conj().T
    gain = np.linalg.solve((a @ cross + noise_var * np.eye(len(a))).T, cross.T).T
    error = np.trace(covariance - gain @ cross.conj().T).real
    return amplitude * gain @ z.ravel(), error / model.n_antennas


def omp(model, rows, cols, y, noise_var, oversampling=4, joint=True, max_atoms=32, threshold=18.0):
    """model is over the identity dictionary; least squares anew for each atom."""
    z, noise_var, amplitude = model.scaled(y, noise_var)

    def waves(size):
        bins = np.arange(oversampling * size) / (oversampling * size)
        return np.exp(2j * np.pi * np.outer(np.arange(size), bins)) / np.sqrt(size)

    grid = np.kron(waves(rows), waves(cols))
    groups = [range(model.n_subarrays)] if joint else [[s] for s in range(model.n_subarrays)]
    h = np.zeros((model.n_subarrays, model.n), complex)
    atoms = 0
    for group in groups:
        observed = {s: (model.s[s][:, None] * model.vh[s]) @ grid for s in group}
        residual = {s: z[s] for s in group}
        support = []
        while len(support) < max_atoms:
            metric = sum(
                np.abs(observed[s].conj().T @ residual[s]) ** 2 / np.sum(np.abs(observed[s]) ** 2, axis=0)
                for s in group
            )
            if metric.max() < noise_var * (len(group) + threshold):
                break
            support.append(int(np.argmax(metric)))
            for s in group:
                gains = np.linalg.lstsq(observed[s][:, support], z[s], rcond=None)[0]
                residual[s] = z[s] - observed[s][:, support] @ gains
                h[s] = grid[:, support] @ gains
        atoms = max(atoms, len(support))
    return amplitude * h.ravel(), atoms


def bernoulli_gaussian(r, variance, em_iterations=10, sparsity=0.1):
    """Posterior mean, its variance and its mean divergence; the prior is fitted by EM."""
    energy = np.abs(r) ** 2
    rate, signal = sparsity, max(energy.mean() / variance - 1, 1e-3) * variance / sparsity

    def active(rate, signal):
        odds = (1 - rate) / rate * (1 + signal / variance)
        return 1 / (1 + odds * np.exp(-energy * signal / (variance * (variance + signal))))

    for _ in range(em_iterations):
        p = active(rate, signal)
        gain = signal / (signal + variance)
        rate = np.clip(p.mean(), 1e-6, 1 - 1e-6)
        signal = np.sum(p * (gain**2 * energy + gain * variance)) / np.sum(p)
    p, gain = active(rate, signal), signal / (signal + variance)
    mean = p * gain * r
    error = np.mean(p * (gain * variance + gain**2 * energy) - np.abs(mean) ** 2)
    return mean, error, error / variance


def linear_step(model, z, noise_var, x, kind="lmmse", known_power=True):
    """r and tau2 on dense matrices: r = x + eta W (z - G x), W = V diag(w).

    At x = 0 the error is the channel, of unit power, or of what the pilots tell unless known_power.
    """
    g = model.matrix()
    k = model.n_coefficients
    e = z.ravel() - g @ x
    if np.any(x) or not known_power:
        v = max((np.sum(np.abs(e) ** 2) - e.size * noise_var) / np.sum(model.s**2), 1e-3 * noise_var)
    else:
        v = model.n_antennas / k
    if kind == "lmmse":
        w = v * g.conj().T @ np.linalg.inv(v * g @ g.conj().T + noise_var * np.eye(len(g)))
    elif kind == "matched":
        w = g.conj().T
    else:
        w = np.linalg.pinv(g)
    w = k / np.trace(w @ g) * w
    b = np.eye(k) - w @ g
    tau2 = (v * np.sum(np.abs(b) ** 2) + noise_var * np.sum(np.abs(w) ** 2)) / k
    return x + w @ e, tau2, v


def oamp(model, y, noise_var, denoise, iterations, kind="lmmse", divergence_free=True, start=None):
    """Returns h_hat, the predicted NMSE and the relative changes."""
    z, noise_var, amplitude = model.scaled(y, noise_var)
    x = np.zeros(model.n_coefficients, complex) if start is None else start
    estimate, changes = x, []
    for _ in range(iterations):
        r, tau2, _ = linear_step(model, z, noise_var, x, kind)
        d, error, alpha = denoise(r, tau2)
        changes.append(np.linalg.norm(d - estimate) / np.linalg.norm(d))
        estimate = d
        x = (d - alpha * r) / (1 - alpha) if divergence_free else d
    nmse = error * model.n_coefficients / model.n_antennas
    return amplitude * model.synthesize(estimate), nmse, np.array(changes)


def oamp_per_subarray(combiner, atoms, noise_model, y, noise_var, denoise, iterations, kind="lmmse"):
    """Divergence-free OAMP in every subarray on its own."""
    h = []
    for rows, pilots in zip(combiner, np.reshape(y, (len(combiner), -1))):
        model = Model(rows[None], atoms, noise_model)
        z, x = model.observe(pilots), np.zeros(model.n_coefficients, complex)
        for _ in range(iterations):
            r, tau2, _ = linear_step(model, z, noise_var, x, kind, known_power=False)
            d, _, alpha = denoise(r, tau2)
            alpha = np.clip(alpha, 0, 0.95)
            x = (d - alpha * r) / (1 - alpha)
        h.append(model.synthesize(d))
    return np.concatenate(h)


def amp(model, y, noise_var, denoise, iterations, damping=0.0):
    z, noise_var, amplitude = model.scaled(y, noise_var)
    a = np.sqrt(np.sum(model.s**2) / model.n_coefficients)
    g, z = model.matrix() / a, z.ravel() / a
    x, e, alpha = np.zeros(model.n_coefficients, complex), np.zeros(z.size, complex), 0.0
    for t in range(iterations):
        keep = damping if t > 0 else 0.0
        e = (1 - keep) * (z - g @ x + alpha * model.n_coefficients / z.size * e) + keep * e
        d, _, alpha = denoise(x + g.conj().T @ e, np.mean(np.abs(e) ** 2))
        x = (1 - keep) * d + keep * x
    return amplitude * model.synthesize(x)
