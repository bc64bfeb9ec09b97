# SPDX-License-Identifier: GPL-3.0-or-later
"""The visible-region domain in PyTorch: complex coefficients and the real images networks see."""

import numpy as np
import torch

from ..array.visible_region import VisibleRegion


class ImageDomain:
    """Maps Slepian coefficients [B, S, K, K] (complex64) to zoom images [B, S, 2, G, G] and back."""

    def __init__(self, region=None, precision="bf16"):
        self.mixed = precision == "bf16"
        self.region = region or VisibleRegion()
        self.zoom = torch.tensor(self.region.zoom, dtype=torch.float32)
        self.unzoom = torch.tensor(self.region.unzoom, dtype=torch.float32)

    def coefficients(self, h, n_subarrays):
        """Coefficients of channels ``h``, complex64 NumPy [B, N], as a tensor [B, S, K, K]."""
        size = self.region.size
        c = self.region.analyze(h.reshape(len(h), n_subarrays, size, size))
        return torch.from_numpy(c.astype(np.complex64))

    def image(self, coefficients):
        """Real and imaginary part of the zoom DFT of ``coefficients``."""
        parts = torch.stack([coefficients.real, coefficients.imag], 2)
        return self.zoom @ parts @ self.zoom.T

    def from_image(self, image):
        """Coefficients of an image; inverse of :meth:`image`."""
        parts = self.unzoom @ image @ self.unzoom.T
        return torch.complex(parts[:, :, 0], parts[:, :, 1])

    def denoise(self, network, coefficients, noise_std, *conditions):
        """Apply ``network`` to noisy coefficients of noise ``noise_std`` [B] per complex coefficient."""
        image = self.image(coefficients)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.mixed and network.training):
            denoised = network(image, noise_std, *conditions)
        return self.from_image(denoised.float())


def complex_noise(shape, rng):
    """Circular complex Gaussian noise of unit variance as a complex64 tensor."""
    parts = rng.standard_normal((*shape, 2), dtype=np.float32) * np.float32(np.sqrt(0.5))
    return torch.view_as_complex(torch.from_numpy(parts))


def squared_error(estimate, truth):
    """Normalised squared error of each item of a batch of coefficients, float32 [B]."""
    error = (estimate - truth).abs().square().flatten(1).sum(1)
    return error / truth.abs().square().flatten(1).sum(1)
