# SPDX-License-Identifier: GPL-3.0-or-later
"""The direct path of a user."""

from dataclasses import dataclass

import numpy as np

from ..hardware.checks import real
from ..paths import PathKind
from .component import Component, probability
from .rays import Rays


@dataclass(frozen=True)
class LineOfSight(Component):
    """The direct path, and how its power compares with that of all others.

    Attributes:
        k_factor_db: K = P_0 / sum P_l, the power of the unobstructed direct path over the sum of the powers
            amplitude^2 of all other paths, in dB; it holds in every channel, so on average as well. The other
            paths are scaled for it, before blockage and visibility take anything away. None leaves the powers
            as the other components give them.
        blockage_probability: that something stands in the direct path, 0 to 1.
        blockage_loss_db: attenuation by it in dB, at least 0.
    """

    k_factor_db: float | None = None
    blockage_probability: float = 0.0
    blockage_loss_db: float = 20.0

    def __post_init__(self):
        if self.k_factor_db is not None:
            self._set(k_factor_db=real("k_factor_db", self.k_factor_db, low=-100, high=100))
        self._set(
            blockage_probability=probability("blockage_probability", self.blockage_probability),
            blockage_loss_db=real("blockage_loss_db", self.blockage_loss_db, low=0.0),
        )

    def draw(self, array, users, loss, rng):
        """The unobstructed path, :class:`Rays` [B, K, 1]; ``users`` float64 [B, K, 3] in the world."""
        length = np.linalg.norm(users - np.asarray(array.position), axis=-1)[..., None]
        return Rays(
            amplitude=loss.gain(length),
            delay=loss.delay(length),
            source=users[..., None, :].copy(),
            kind=np.full(length.shape, PathKind.LINE_OF_SIGHT, np.int8),
            phase=np.zeros(length.shape),
            follow=np.ones((*length.shape, 3)),
        )

    def scale_others(self, direct, others):
        """Scale the amplitudes of ``others`` in place to the K-factor; channels without others stay so."""
        if self.k_factor_db is None:
            return
        wanted = direct.power() * 10 ** (-0.1 * self.k_factor_db)
        power = others.power()
        factor = np.sqrt(wanted / np.where(power > 0, power, 1.0))
        others.amplitude *= np.where(power > 0, factor, 1.0)[..., None]

    def block(self, direct, rng):
        """Obstruct the direct path of some users, in place."""
        blocked = rng.random(direct.amplitude.shape) < self.blockage_probability
        direct.amplitude *= np.where(blocked, 10 ** (-0.05 * self.blockage_loss_db), 1.0)
