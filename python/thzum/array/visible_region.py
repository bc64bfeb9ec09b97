# SPDX-License-Identifier: GPL-3.0-or-later
"""The visible region of a densely spaced array: a small subspace that holds every plane wave.

With elements closer than half a wavelength, plane waves occupy only |u| <= spacing/lambda cycles per
element. The discrete prolate spheroidal (Slepian) sequences of that bandwidth span this subspace to a
leakage set by their number, and a zoom DFT of them gives an image-like domain with oversampling.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.signal.windows import dpss


@dataclass(frozen=True)
class VisibleRegion:
    """Slepian subspace of one axis of a subarray and its zoom-DFT image.

    Attributes:
        size: elements along the axis.
        n_slepian: dimension of the subspace.
        half_bandwidth: in cycles per element; a little above spacing/lambda.
        grid: number of zoom-DFT bins.
        span: the bins lie on a uniform grid from -span to +span cycles per element.
    """

    size: int = 16
    n_slepian: int = 10
    half_bandwidth: float = 0.205
    grid: int = 12
    span: float = 0.215

    @cached_property
    def basis(self):
        """Orthonormal basis, complex128 [size, n_slepian].

        Odd (antisymmetric) sequences carry a factor j, which makes :attr:`zoom` real.
        """
        sequences = dpss(self.size, self.size * self.half_bandwidth, self.n_slepian).T
        return sequences * np.where(np.arange(self.n_slepian) % 2, 1j, 1.0)

    @cached_property
    def zoom(self):
        """Zoom DFT of the basis, float64 [grid, n_slepian]."""
        frequency = np.linspace(-self.span, self.span, self.grid)
        element = np.arange(self.size) - 0.5 * (self.size - 1)
        dft = np.exp(-2j * np.pi * np.outer(frequency, element)) / np.sqrt(self.size)
        return (dft @ self.basis).real

    @cached_property
    def unzoom(self):
        """Left inverse of :attr:`zoom`, float64 [n_slepian, grid]."""
        return np.linalg.pinv(self.zoom)

    def analyze(self, h):
        """Coefficients [..., n_slepian, n_slepian] of subarray responses ``h`` [..., size, size]."""
        return self.basis.conj().T @ h @ self.basis.conj()

    def synthesize(self, coefficients):
        """Subarray responses [..., size, size] from coefficients; inverse of :meth:`analyze` on the subspace."""
        return self.basis @ coefficients @ self.basis.T
