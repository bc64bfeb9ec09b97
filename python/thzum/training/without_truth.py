# SPDX-License-Identifier: GPL-3.0-or-later
"""Fine-tuning of the FPN-OAMP denoiser from received pilots alone, by Stein's unbiased risk estimate.

No channel is ever known: what goes in is pilots, combiners and the noise variance.
"""

import os
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import onnx
import torch

from .domain import ImageDomain, complex_noise
from .export import CARD_PREFIX, export_denoiser
from .linear_step import LinearStep, differentiable_iterate, iterate
from .networks import load_denoiser
from .trainer import Schedule, Trainer

#: Size of the probe of the divergence over the deviation of the noise.
PROBE_SIZE = 0.1

#: Smallest power of a channel over the noise variance that pilots are scaled by.
LEAST_POWER = 0.01


@dataclass(frozen=True)
class Pilots:
    """Received pilots in groups that share a combiner.

    Attributes:
        y: complex64 [G, K, S, Q]: K channels in each of G groups.
        combiner: float32 [G, S, Q, n], real. A combiner that never changes teaches only what it sees;
            redraw it from group to group.
        noise_var: float32 [G, K], variance of the noise at one antenna, fresh in every slot.
    """

    y: np.ndarray
    combiner: np.ndarray
    noise_var: np.ndarray

    def __post_init__(self):
        if self.y.ndim != 4 or not np.iscomplexobj(self.y):
            raise ValueError(f"y: expected complex [groups, channels, subarrays, slots], got {self.y.dtype} "
                             f"{list(self.y.shape)}; record pilots as docs/training.md shows")
        groups, channels, subarrays, slots = self.y.shape
        if self.combiner.ndim != 4 or self.combiner.shape[:3] != (groups, subarrays, slots):
            raise ValueError(f"combiner: expected [{groups}, {subarrays}, {slots}, elements] as y has it, "
                             f"got {list(self.combiner.shape)}")
        if np.iscomplexobj(self.combiner) and np.any(self.combiner.imag):
            raise ValueError("combiner: expected real entries (one-bit or Hadamard rows), got complex ones; "
                             "record with a real combiner")
        if self.noise_var.shape != (groups, channels):
            raise ValueError(f"noise_var: expected [{groups}, {channels}], one of each channel, "
                             f"got {list(self.noise_var.shape)}")
        if not (np.all(np.isfinite(self.y)) and np.all(self.noise_var > 0)):
            raise ValueError("y, noise_var: expected finite pilots and positive variances; leave bad frames out")

    @classmethod
    def load(cls, path):
        """Pilots of an NPZ file with the arrays ``y``, ``combiner`` and ``noise_var``; others are not read."""
        with np.load(path) as file:
            missing = {"y", "combiner", "noise_var"} - set(file)
            if missing:
                raise ValueError(f"{path}: expected arrays y, combiner and noise_var, no {sorted(missing)} in it")
            combiner = file["combiner"]
            return cls(file["y"], combiner.real if np.iscomplexobj(combiner) and not np.any(combiner.imag) else combiner,
                       file["noise_var"])

    def save(self, path):
        """Write the NPZ file that :meth:`load` reads; ``path`` ends in .npz."""
        np.savez(path, y=self.y, combiner=self.combiner, noise_var=self.noise_var)


def pilot_risk(estimate, step, z, noise_var, rng):
    """Unbiased estimate of the error that the pilots see, ||A (f(z) - x)||^2, over its noise; float32 [B].

    With z = A x + n, n circular of variance v in each of m dimensions (Stein, Ann. Statist. 1981),

        E ||A (f(z) - x)||^2 = E [ ||z - A f(z)||^2 + 2 v div_z(A f(z)) ] - m v,

    the divergence by one probe (Ramani, Blu, Unser, IEEE Trans. Image Process. 2008). With as many slots
    as elements, A^H A = 1 and this is SURE. With fewer it is the error in the row space of the pilots, the
    generalised SURE (Eldar, IEEE Trans. Signal Process. 2009); with combiners redrawn, A^H A is on average
    M/N and it is M/N of the whole error.

    Args:
        estimate: function from (z, noise_var), with a batch of 2 B, to coefficients [2 B, S, K, K].
        step: the :class:`~.linear_step.LinearStep` of the combiner.
        z: complex64 [B, S, r].
        noise_var: float32 [B].
        rng: draws the probe.

    Returns:
        The estimate over m v, an error in units of the noise, so that every noise level weighs the same.
    """
    probe = complex_noise(z.shape, rng)
    size = PROBE_SIZE * noise_var.sqrt()
    both = torch.cat([z, z + size[:, None, None] * probe])
    seen, moved = step.predict(estimate(both, torch.cat([noise_var, noise_var]))).chunk(2)
    divergence = (probe.conj() * (moved - seen)).real.flatten(1).sum(1) / size
    dimensions = z[0].numel()
    left = (z - seen).abs().square().flatten(1).sum(1)
    return (left / noise_var + 2 * divergence) / dimensions - 1


class WithoutTruth:
    """End-to-end fine-tuning on the risk that pilots tell.

    Args:
        pilots: :class:`Pilots`; of each group the last eighth is kept for validation.
        batch: channels of a step.
    """

    def __init__(self, pilots, batch=64):
        self.pilots = pilots
        self.domain = ImageDomain(precision="fp32")
        channels = pilots.y.shape[1]
        self.kept = max(1, channels // 8)
        self.batch = min(batch, channels - self.kept)
        if self.batch < 1:
            raise ValueError(f"y: expected at least 2 channels in a group, got {channels}")
        self._step = lru_cache(maxsize=None)(self._make_step)

    def _make_step(self, group):
        combiner = np.asarray(self.pilots.combiner[group], np.float64)
        norm = np.linalg.norm(combiner, axis=-1)
        return LinearStep(self.domain, combiner / norm[:, :, None], np.ones_like(norm)), norm

    def observations(self, group, items):
        """(step, z [B, S, r], noise_var [B]) of the pilots ``items`` of a group, at unit power per antenna."""
        step, norm = self._step(group)
        y = self.pilots.y[group, items] / norm
        noise_var = np.asarray(self.pilots.noise_var[group, items], np.float64)
        power = np.mean(np.abs(y) ** 2, axis=(1, 2)) - noise_var
        power = np.maximum(power, LEAST_POWER * noise_var)
        y = (y / np.sqrt(power)[:, None, None]).astype(np.complex64)
        return step, step.reduce(torch.from_numpy(y)), torch.from_numpy((noise_var / power).astype(np.float32))

    def loss(self, network, rng):
        """Mean risk of a batch after a random depth; Jacobian-free gradient."""
        groups, channels = self.pilots.y.shape[:2]
        items = rng.choice(channels - self.kept, self.batch, replace=False)
        step, z, noise_var = self.observations(int(rng.integers(groups)), items)
        depth = int(rng.integers(0, 4))

        def estimate(pilots, variances):
            return differentiable_iterate(self.domain, network, step, pilots, variances, depth)

        return pilot_risk(estimate, step, z, noise_var, rng).mean()

    def validate(self, network):
        """Error of eight iterations on the pilots kept for it, over the noise, as their risk tells it."""
        rng = np.random.default_rng(1)
        items = np.arange(self.pilots.y.shape[1] - self.kept, self.pilots.y.shape[1])
        risks = []
        for group in range(len(self.pilots.y)):
            step, z, noise_var = self.observations(group, items)

            def estimate(pilots, variances, step=step):
                return iterate(self.domain, network, step, pilots, variances, 8)

            risks.append(pilot_risk(estimate, step, z, noise_var, rng))
        return dict(risk=round(float(torch.cat(risks).mean()), 5))


def fine_tune(network, task, folder, steps, learning_rate=3e-4, seed=1, stage="without_truth"):
    """Train ``network`` further on ``task`` for ``steps`` steps and return the averaged network.

    Short runs: a warm-up of a tenth, an average over the last fifth or so, resumed from ``folder``.
    """
    schedule = Schedule(
        steps,
        learning_rate,
        warmup=max(1, steps // 10),
        average_decay=1 - 5 / max(steps, 10),
        validate_every=max(1, steps // 3),
    )
    trainer = Trainer(network.train(), task.loss, task.validate, schedule, seed, folder, stage)
    trainer.resume()
    return trainer.run().eval()


def adapt(pilots, start, folder, output, steps=300, batch=48, seed=1):
    """Fine-tune the model file ``start`` on received pilots, export it to ``output`` and return that path.

    Args:
        pilots: NPZ file of :class:`Pilots`.
        start: an ``.onnx`` file that ``./run train`` made, such as the shipped one.
        folder: checkpoint and log.
        output: the ``.onnx`` file to write. Its error curve is the one of ``start``: without truth it
            cannot be measured again.
        steps: optimisation steps.
        batch: channels of a step.
        seed: of the draws.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    task = WithoutTruth(Pilots.load(pilots), batch)
    network = fine_tune(load_denoiser(start), task, folder, steps, seed=seed)
    card = {e.key[len(CARD_PREFIX):]: e.value for e in onnx.load(start).metadata_props if e.key.startswith(CARD_PREFIX)}

    def numbers(name):
        return [float(value) for value in card[name].split(",")]

    os.makedirs(os.path.dirname(os.path.abspath(output)), exist_ok=True)
    with torch.no_grad():
        measured = task.validate(network)
    export_denoiser(
        network,
        task.domain.region,
        output,
        noise_range_db=(float(card["noise_db_min"]), float(card["noise_db_max"])),
        nmse_curve=(numbers("nmse_curve_noise_db"), numbers("nmse_curve_db")),
        card=dict(
            training_command=f"./run train fpn_oamp --without-truth PILOTS --adapt-steps {steps}",
            training_seed=seed,
            training_data=f"{card.get('training_data', 'unknown')}; then {task.pilots.y[..., 0, 0].size} received "
            f"pilots, no truth, {steps} steps, batch {task.batch}",
            measured=f"error over noise in pilots kept for it, as they tell it: {measured['risk']}; "
            "the error curve is that of the start",
        ),
    )
    return output
