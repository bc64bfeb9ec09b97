# SPDX-License-Identifier: GPL-3.0-or-later
"""Training of the FPN-OAMP denoiser: plug-and-play first, then end to end through the fixed point, then on a mixture.

Fixed-point networks with Jacobian-free gradients: Fung et al., AAAI 2022; for channel estimation Yu et
al., IEEE JSTSP 2023. Here one network serves all noise levels and combiners: the noise level is an input
and combiners are redrawn in every batch.
"""

import os

import numpy as np
import torch

from .. import channel
from .domain import ImageDomain, complex_noise, squared_error
from .export import export_denoiser
from .linear_step import LinearStep, differentiable_iterate, iterate, random_combiner
from .mixture import ChannelMixture
from .networks import SubarrayDenoiser
from .trainer import Schedule, Trainer

PRESET = "thz300_aosa4x256"
NOISE_RANGE_DB = (-24.0, 6.0)
SNR_RANGE_DB = (-2.0, 24.0)
UNDERSAMPLING = (0.3, 0.4, 0.5, 0.5, 0.5, 0.6)
VALIDATION_NOISE_DB = (3.0, -2.0, -7.0, -12.0, -17.0)
VALIDATION_SNR_DB = (0.0, 5.0, 10.0, 15.0, 20.0)
VALIDATION_SEED = 20_000_001


class PlugAndPlay:
    """Denoising of coefficients in white noise of a random level: the role the network has inside OAMP."""

    def __init__(self, batch=64, validation_batch=256):
        self.batch = batch
        self.channel = channel.preset(PRESET)
        self.domain = ImageDomain()
        rng = np.random.default_rng(VALIDATION_SEED)
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

    def nmse_db(self, network, noise_db):
        """NMSE in dB on fixed channels in white noise of ``noise_db``."""
        noise_std = torch.full((len(self.validation),), 10 ** (noise_db / 20))
        noisy = self.validation + noise_std[:, None, None, None] * self.validation_noise
        error = squared_error(self.domain.denoise(network, noisy, noise_std), self.validation)
        return round(10 * float(torch.log10(error.mean())), 3)

    def validate(self, network):
        """NMSE in dB at fixed noise levels."""
        return {f"awgn_{level:g}dB": self.nmse_db(network, level) for level in VALIDATION_NOISE_DB}


class EndToEnd:
    """The whole fixed-point iteration: run it without gradients, then one step with them.

    Args:
        channels: model that draws the training channels; None is the preset's. Validation is on the preset.
    """

    def __init__(self, batch=64, validation_batch=128, channels=None):
        self.batch = batch
        self.channel = channel.preset(PRESET)
        self.channels = channels or self.channel
        self.domain = ImageDomain()
        rng = np.random.default_rng(VALIDATION_SEED + 1)
        self.validation = self._draw(validation_batch, rng)
        self.validation_step = self._linear_step(0.5, rng)

    def _draw(self, batch, rng, channels=None):
        array = self.channel.array
        h = (channels or self.channel).sample(batch, rng)
        truth = self.domain.coefficients(h, array.n_subarrays)
        return torch.from_numpy(h.reshape(batch, array.n_subarrays, -1)), truth

    def _linear_step(self, undersampling, rng):
        array = self.channel.array
        n_elements = array.rows * array.cols
        n_slots = int(round(undersampling * n_elements))
        return LinearStep(self.domain, *random_combiner(array.n_subarrays, n_slots, n_elements, rng))

    def loss(self, network, rng):
        """Mean logarithm of the normalised error after a random depth; Jacobian-free gradient."""
        h, truth = self._draw(self.batch, rng, self.channels)
        step = self._linear_step(rng.choice(UNDERSAMPLING), rng)
        noise_var = torch.from_numpy(10 ** (-rng.uniform(*SNR_RANGE_DB, self.batch) / 10)).float()
        z = step.observe(h, noise_var, rng)
        depth = int(rng.integers(0, 4))
        denoised = differentiable_iterate(self.domain, network, step, z, noise_var, depth)
        return torch.log(squared_error(denoised, truth) + 1e-5).mean()

    def validate(self, network):
        """NMSE in dB of the last of eight iterations on fixed channels and a fixed combiner."""
        h, truth = self.validation
        measured = {}
        for snr_db in VALIDATION_SNR_DB:
            noise_var = torch.full((len(truth),), 10 ** (-snr_db / 10))
            z = self.validation_step.observe(h, noise_var, np.random.default_rng(VALIDATION_SEED + 2))
            estimate = iterate(self.domain, network, self.validation_step, z, noise_var, 8)
            measured[f"snr_{snr_db:g}dB"] = round(10 * float(torch.log10(squared_error(estimate, truth).mean())), 3)
        measured["contraction"] = round(self.contraction(network), 3)
        return measured

    def contraction(self, network, probes=32, rounds=6, seed=3):
        """Largest observed Lipschitz constant of the map around its fixed points.

        Power iteration on finite differences, over ``probes`` channels at 0 to 20 dB.
        """
        rng = np.random.default_rng(seed)
        h, truth = (part[:probes] for part in self.validation)
        noise_var = torch.from_numpy(10 ** (-rng.uniform(0, 20, len(truth)) / 10)).float()
        z = self.validation_step.observe(h, noise_var, rng)
        fixed = iterate(self.domain, network, self.validation_step, z, noise_var, 10)

        def apply(point):
            extrinsic, variance = self.validation_step(point, z, noise_var)
            return self.domain.denoise(network, extrinsic, variance.sqrt())

        at_fixed, scale = apply(fixed), 1e-2
        direction = complex_noise(truth.shape, rng)
        for _ in range(rounds):
            norm = direction.abs().square().flatten(1).sum(1).sqrt()
            direction = direction / norm[:, None, None, None]
            direction = (apply(fixed + scale * direction) - at_fixed) / scale
        return float(direction.abs().square().flatten(1).sum(1).sqrt().max())


def train(folder, output, steps=(16_000, 4_000, 12_000), batch=64, seed=1, validate_every=1000):
    """Train in three stages, export to ``output`` and return the model's path.

    Args:
        folder: checkpoints and logs; training resumes from what is there.
        output: the ``.onnx`` file to write.
        steps: optimisation steps of the plug-and-play stage, of the end-to-end stage on the preset's channels, and of
            the end-to-end stage on the mixture; a stage of no steps is left out.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    network = SubarrayDenoiser()
    plug_and_play, end_to_end = PlugAndPlay(batch), EndToEnd(batch)
    for stage, task, rate, count in (
        ("plug_and_play", plug_and_play, 2e-3, steps[0]),
        ("end_to_end", end_to_end, 5e-4, steps[1]),
        ("mixture", EndToEnd(batch, channels=ChannelMixture(PRESET)), 8e-4, steps[2]),
    ):
        if not count:
            continue
        schedule = Schedule(count, rate, validate_every=validate_every)
        trainer = Trainer(network, task.loss, task.validate, schedule, seed, folder, stage)
        trainer.resume()
        network.load_state_dict(trainer.run().state_dict())
    os.makedirs(os.path.dirname(os.path.abspath(output)), exist_ok=True)
    levels = np.arange(NOISE_RANGE_DB[0], NOISE_RANGE_DB[1] + 1, 3.0)
    network.eval()
    with torch.no_grad():
        curve = [plug_and_play.nmse_db(network, level) for level in levels]
        measured = end_to_end.validate(network)
    export_denoiser(
        network,
        plug_and_play.domain.region,
        output,
        noise_range_db=NOISE_RANGE_DB,
        nmse_curve=(levels, curve),
        card=dict(
            training_command="./run train fpn_oamp",
            training_seed=seed,
            training_data=f"channel preset {PRESET}, steps {steps[0]} + {steps[1]}, mixture {steps[2]}, batch {batch}",
            measured="own validation set, M/N 0.5, NMSE in dB: "
            + ", ".join(f"{key} {value}" for key, value in measured.items()),
        ),
    )
    return output
