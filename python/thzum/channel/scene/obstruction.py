# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the paths and of the array is shaded, and which subarrays see a path at all."""

from dataclasses import dataclass

import numpy as np

from ..hardware.checks import boolean, real
from .component import Component, probability


@dataclass(frozen=True)
class Blockage(Component):
    """Objects that shade single paths, single subarrays or half of a subarray.

    Attributes:
        path_probability: that a path other than the direct one is blocked; each path for itself.
        path_loss_db: attenuation of a blocked path in dB.
        subarray_probability: that a subarray sees nothing; each subarray for itself, the same for all paths of
            a channel.
        half_subarray_probability: that one half (left, right, lower or upper, each as likely) of one subarray,
            each as likely, receives nothing.
    """

    path_probability: float = 0.0
    path_loss_db: float = 20.0
    subarray_probability: float = 0.0
    half_subarray_probability: float = 0.0

    def __post_init__(self):
        for name in ("path_probability", "subarray_probability", "half_subarray_probability"):
            self._set(**{name: probability(name, getattr(self, name))})
        self._set(path_loss_db=real("path_loss_db", self.path_loss_db, low=0.0))

    def block_paths(self, rays, rng):
        """Attenuate some of ``rays`` in place."""
        blocked = rng.random(rays.amplitude.shape) < self.path_probability
        rays.amplitude *= np.where(blocked, 10 ** (-0.05 * self.path_loss_db), 1.0)

    def draw_subarrays(self, shape, n_subarrays, rng):
        """Subarrays that see something, bool [*shape, S]."""
        return rng.random((*shape, n_subarrays)) >= self.subarray_probability

    def draw_elements(self, shape, array, rng):
        """Elements that receive something, bool [*shape, S, rows, cols]."""
        seen = np.ones((*shape, array.n_subarrays, array.rows, array.cols), bool)
        hit = rng.random(shape) < self.half_subarray_probability
        which, side = rng.integers(array.n_subarrays, size=shape), rng.integers(4, size=shape)
        row, col = np.arange(array.rows)[:, None], np.arange(array.cols)
        nothing = np.zeros((array.rows, array.cols), bool)
        halves = [col < array.cols // 2, col >= array.cols // 2, row < array.rows // 2, row >= array.rows // 2]
        halves = np.stack([half | nothing for half in halves])
        for place in np.argwhere(hit):
            place = tuple(place)
            seen[(*place, which[place])] &= ~halves[side[place]]
        return seen


@dataclass(frozen=True)
class Visibility(Component):
    """Which subarrays see a path: a birth-death process along the subarrays (as in arXiv 1611.00617).

    Every path has a two-state Markov chain over the subarrays, which are passed row by row, to and fro, so that
    the next one is always a neighbour. Its stationary probability is ``visible_fraction``, and the correlation
    of visibility over m steps is ``correlation``^m: birth (1 - correlation) visible_fraction, death
    (1 - correlation)(1 - visible_fraction).

    Attributes:
        visible_fraction: mean share of subarrays that see a path, above 0.
        correlation: between neighbours, 0 to 1.
        line_of_sight: True treats the direct path like the others; by default all subarrays see it.
    """

    visible_fraction: float = 0.7
    correlation: float = 0.5
    line_of_sight: bool = False

    def __post_init__(self):
        self._set(
            visible_fraction=real("visible_fraction", self.visible_fraction, above=0.0, high=1.0),
            correlation=probability("correlation", self.correlation),
            line_of_sight=boolean("line_of_sight", self.line_of_sight),
        )

    def draw(self, shape, array, rng):
        """Visibility of paths of ``shape``, bool [*shape, S]."""
        numbers = np.arange(array.n_subarrays).reshape(array.sub_rows, array.sub_cols)
        numbers[1::2] = numbers[1::2, ::-1]
        seen = np.empty((*shape, array.n_subarrays), bool)
        state = rng.random(shape) < self.visible_fraction
        seen[..., numbers.flat[0]] = state
        for number in numbers.ravel()[1:]:
            stay = (1 - self.correlation) * self.visible_fraction + self.correlation * state
            state = rng.random(shape) < stay
            seen[..., number] = state
        return seen
