# SPDX-License-Identifier: GPL-3.0-or-later
"""A seeded, resumable optimisation loop shared by the training programs."""

import copy
import csv
import math
import os
import time
from dataclasses import asdict, dataclass

import numpy as np
import torch
from tqdm import tqdm


@dataclass
class Schedule:
    """Length and step size of one training stage (AdamW, cosine decay after a linear warm-up)."""

    steps: int
    learning_rate: float
    warmup: int = 300
    weight_decay: float = 1e-4
    average_decay: float = 0.999
    gradient_clip: float = 1.0
    validate_every: int = 500

    def rate(self, step):
        """Learning rate at ``step``."""
        warm = min(1.0, (step + 1) / self.warmup)
        return self.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * step / self.steps)) + 1e-6


class Trainer:
    """Runs one stage; every random draw of a step comes from ``(seed, step)``, so a resumed run equals an unbroken one.

    Args:
        network: the module to train; :attr:`average` holds its exponential moving average.
        loss: ``loss(network, rng) -> scalar tensor`` draws a batch with ``rng`` and evaluates it.
        validate: ``validate(network) -> {name: value}``, run on the averaged network.
        folder: checkpoints ``<stage>.pt`` and the log ``<stage>.csv`` go here.
    """

    def __init__(self, network, loss, validate, schedule, seed, folder, stage):
        self.network, self.loss, self.validate = network, loss, validate
        self.schedule, self.seed, self.stage = schedule, seed, stage
        self.average = copy.deepcopy(network).requires_grad_(False).eval()
        self.optimizer = torch.optim.AdamW(
            network.parameters(), lr=schedule.learning_rate, weight_decay=schedule.weight_decay
        )
        os.makedirs(folder, exist_ok=True)
        self.checkpoint = os.path.join(folder, f"{stage}.pt")
        self.log = os.path.join(folder, f"{stage}.csv")
        self.step = 0

    def resume(self):
        """Continue from this stage's checkpoint, if there is one."""
        if not os.path.exists(self.checkpoint):
            return
        state = torch.load(self.checkpoint, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]

    def save(self):
        """Write the checkpoint; an interrupted write leaves the old one."""
        state = dict(
            network=self.network.state_dict(),
            average=self.average.state_dict(),
            optimizer=self.optimizer.state_dict(),
            step=self.step,
            schedule=asdict(self.schedule),
        )
        torch.save(state, self.checkpoint + ".part")
        os.replace(self.checkpoint + ".part", self.checkpoint)

    def run(self):
        """Train to the end of the schedule and return the averaged network."""
        bar = tqdm(total=self.schedule.steps, initial=self.step, desc=self.stage, smoothing=0.05)
        started, recent = time.time(), []
        while self.step < self.schedule.steps:
            recent.append(self._advance())
            bar.update()
            if self.step % self.schedule.validate_every == 0 or self.step == self.schedule.steps:
                self._report(bar, np.mean(recent), time.time() - started)
                recent = []
        bar.close()
        return self.average

    def _advance(self):
        rng = np.random.default_rng([self.seed, self.step])
        for group in self.optimizer.param_groups:
            group["lr"] = self.schedule.rate(self.step)
        loss = self.loss(self.network, rng)
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.schedule.gradient_clip)
        self.optimizer.step()
        self._update_average()
        self.step += 1
        return float(loss.detach())

    def _update_average(self):
        decay = min(self.schedule.average_decay, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for mean, value in zip(self.average.parameters(), self.network.parameters()):
                mean.lerp_(value, 1 - decay)

    def _report(self, bar, loss, seconds):
        with torch.no_grad():
            measured = self.validate(self.average)
        row = dict(step=self.step, seconds=round(seconds, 1), loss=round(float(loss), 4), **measured)
        new = not os.path.exists(self.log) or self.step <= self.schedule.validate_every
        with open(self.log, "w" if new else "a", newline="") as handle:
            writer = csv.DictWriter(handle, row)
            if new:
                writer.writeheader()
            writer.writerow(row)
        bar.set_postfix(loss=f"{loss:.3f}", **{k: f"{v:.2f}" for k, v in measured.items()})
        self.save()
