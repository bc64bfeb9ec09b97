# SPDX-License-Identifier: GPL-3.0-or-later
"""Training of the FPN-OAMP denoiser: plug-and-play first, then end to end through the fixed point."""

import numpy as np
import torch

from .. import channel
from .domain import ImageDomain, complex_noise, squared_error
from .networks import SubarrayDenoiser
from .trainer import Schedule, Trainer

PRESET = "thz300_aosa4x256"
NOISE_RANGE_DB = (-24.0, 6.0)
VALIDATION_NOISE_DB = (3.0, -2.0, -7.0, -12.0, -17.0)


class PlugAndPlay:
    """Denoising of coefficients in white noise of a random level: the role the network has inside OAMP."""

    def __init__(self, batch=64, validation_batch=256):
        self.batch = batch
        self.channel = channel.preset(PRESET)
        self.domain = ImageDomain()
        rng = np.random.default_rng(20_000_001)
        self.validation = self._coefficients(validation_batch, rng)
        self.validation_noise = complex_noise(self.validation.shape, rng)

    def _coefficients(self, batch, rng):
        return self.domain.coefficients(self.channel.sample(batch, rng), self.channel.array.n_subarrays)

    def loss(self, network, rng):
        """Mean logarithm of the normalised error: every noise level weighs the same in decibels."""
        truth = self._coefficients(self.batch, rng)
        noise_std = torch.from_numpy(10 ** (rng.uniform(*NOISE_RANGE_DB, self.batch) / 20)).float()
        noisy = truth + noise_std[:, None, None, None] * complex_noise(truth.shape, rng)
        return torch.log(squared_error(self.domain.denoise(network, noisy, noise_std), truth) + 1e-5).mean()

    def validate(self, network):
        """NMSE in dB at fixed noise levels on fixed channels."""
        measured = {}
        for level in VALIDATION_NOISE_DB:
            noise_std = torch.full((len(self.validation),), 10 ** (level / 20))
            noisy = self.validation + noise_std[:, None, None, None] * self.validation_noise
            error = squared_error(self.domain.denoise(network, noisy, noise_std), self.validation)
            measured[f"awgn_{level:g}dB"] = round(10 * np.log10(float(error.mean())), 3)
        return measured


def train(folder, steps=16_000, seed=1):
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    network = SubarrayDenoiser()
    task = PlugAndPlay()
    trainer = Trainer(network, task.loss, task.validate, Schedule(steps, 2e-3, validate_every=1000), seed, folder, "plug_and_play")
    trainer.resume()
    return trainer.run()


if __name__ == "__main__":
    import sys

    train(sys.argv[1], int(sys.argv[2]))
