# SPDX-License-Identifier: GPL-3.0-or-later
"""The linear module of OAMP in PyTorch, for random combiners: the twin of the receiver's C++ one.

Everything happens in the singular domain of (combiner x visible region), see
``include/gnuradio/thzum/observation_model.h``.
"""

import numpy as np
import torch
from scipy.linalg import hadamard

from .domain import complex_noise


def random_combiner(n_subarrays, n_slots, n_elements, rng):
    """Rows and gains of one random orthonormalised pair, float64 [S, Q, n] and [S, Q].

    Drawn in equal parts from: sign-randomised Hadamard rows; random one-bit rows with the noise of the
    published benchmark (whitened by their own singular values); the same rows with fresh noise per slot.
    """
    kind = rng.integers(3)
    if kind == 0:
        rows = hadamard(n_elements)[np.stack([rng.permutation(n_elements)[:n_slots] for _ in range(n_subarrays)])]
        signs = rng.choice([-1.0, 1.0], (n_subarrays, 1, n_elements))
        return rows * signs / np.sqrt(n_elements), np.ones((n_subarrays, n_slots))
    one_bit = rng.choice([-1.0, 1.0], (n_subarrays, n_slots, n_elements)) / np.sqrt(n_elements)
    _, gains, rows = np.linalg.svd(one_bit, full_matrices=False)
    return rows, np.ones_like(gains) if kind == 1 else gains


class LinearStep:
    """LMMSE linear module for one pair of orthonormal rows and gains, shared by a batch.

    Args:
        domain: the :class:`~.domain.ImageDomain` whose coefficients it works on.
        rows: float64 [S, Q, n], orthonormal.
        gains: float64 [S, Q].
    """

    #: Smallest error variance of the input, relative to the noise.
    VARIANCE_FLOOR = 1e-3

    def __init__(self, domain, rows, gains):
        size, kept = domain.region.size, domain.region.n_slepian
        basis = np.kron(domain.region.basis, domain.region.basis)
        phase = basis[np.argmax(np.abs(basis), axis=0), np.arange(kept**2)]
        self._phase = torch.from_numpy(np.exp(1j * np.angle(phase))).to(torch.complex64)
        real_basis = (basis * np.exp(-1j * np.angle(phase))).real
        self.noise_free_power = (size / kept) ** 2
        operator = torch.from_numpy(gains[:, :, None] * (rows @ real_basis))
        left, singular, right = torch.linalg.svd(operator, full_matrices=False)
        self._left = left.transpose(1, 2).float()
        self._right = right.float()
        self.singular = singular.float()
        self._gains = torch.from_numpy(gains).float()
        self._rows = torch.from_numpy(rows).float()

    def observe(self, h, noise_var, rng):
        """Noisy observations z [B, S, r] of antenna responses ``h``, complex64 tensor [B, S, n]."""
        z = self._apply(self._rows, h) * self._gains
        return self.reduce(z + noise_var.sqrt()[:, None, None] * complex_noise(z.shape, rng))

    def reduce(self, pilots):
        """What pilots [B, S, Q] of white noise tell of the coefficients: z [B, S, r], noise as before."""
        return self._apply(self._left, pilots)

    def predict(self, coefficients):
        """z [B, S, r] without noise of ``coefficients`` [B, S, K, K]."""
        shape = coefficients.shape
        flat = coefficients.reshape(*shape[:2], -1) * self._phase
        return self.singular * self._apply(self._right, flat)

    def __call__(self, coefficients, z, noise_var, first=False):
        """Extrinsic estimate and its noise variance [B] from ``coefficients`` [B, S, K, K].

        With ``first=True`` the input is taken to be zero with the prior variance of a unit-power channel.
        """
        shape = coefficients.shape
        residual = z - self.predict(coefficients)
        if first:
            variance = torch.full_like(noise_var, self.noise_free_power)
        else:
            energy = residual.abs().square().flatten(1).sum(1)
            excess = (energy - self.singular.numel() * noise_var) / self.singular.square().sum()
            variance = torch.maximum(excess, self.VARIANCE_FLOOR * noise_var)
        weight = self.singular * variance[:, None, None]
        weight = weight / (self.singular * weight + noise_var[:, None, None])
        n_coefficients = shape[1] * shape[2] * shape[3]
        scale = n_coefficients / (weight * self.singular).flatten(1).sum(1)
        step = self._apply(self._right.transpose(1, 2), scale[:, None, None] * weight * residual)
        extrinsic = coefficients + (step * self._phase.conj()).reshape(shape)
        return extrinsic, variance * (scale - 1)

    @staticmethod
    def _apply(matrix, vectors):
        # real [S, a, b] on complex [B, S, b], as one real product per subarray
        parts = torch.view_as_real(vectors).permute(1, 2, 0, 3).flatten(2)
        out = (matrix @ parts).reshape(matrix.shape[0], matrix.shape[1], -1, 2)
        return torch.view_as_complex(out.permute(2, 0, 1, 3).contiguous())


def iterate(domain, network, step, z, noise_var, iterations):
    """Coefficients [B, S, K, K] after ``iterations`` of the fixed-point map x <- D(LE(x)) started at zero."""
    kept = domain.region.n_slepian
    estimate = torch.zeros((*z.shape[:2], kept, kept), dtype=torch.complex64)
    for k in range(iterations):
        extrinsic, variance = step(estimate, z, noise_var, first=k == 0)
        estimate = domain.denoise(network, extrinsic, variance.sqrt())
    return estimate


def differentiable_iterate(domain, network, step, z, noise_var, depth):
    """The same after ``depth`` + 1 iterations, with the gradient of the last one only (Jacobian-free)."""
    with torch.no_grad():
        estimate = iterate(domain, network, step, z, noise_var, depth)
        extrinsic, variance = step(estimate, z, noise_var, first=depth == 0)
    return domain.denoise(network, extrinsic, variance.sqrt())
