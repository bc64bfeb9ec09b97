# SPDX-License-Identifier: GPL-3.0-or-later
"""Channels beyond the nominal one: what a network has to have seen to serve where models of paths break."""

import numpy as np

from .. import channel
from ..channel.native import native_model

PATH_FIELDS = ("amplitude", "delay", "distance", "elevation", "azimuth", "near")

#: Share of each kind of propagation in a batch.
KINDS = {"nominal": 0.4, "counts": 0.15, "far": 0.1, "near": 0.1, "diffuse": 0.25}
RAYS = 20
RAY_SPREAD_DEG = (1.0, 8.0)
#: Damage to the array that comes on top: share of the channels, largest rms phase error.
PHASE_ERROR_SHARE, PHASE_ERROR_DEG = 0.2, 10.0
BLOCKED_SHARE = 0.15


class ChannelMixture:
    """Channels of one array preset under many conditions.

    Nominal ones; 1 to 12 paths; all sources beyond the Rayleigh distance, or all within; every path spread
    into 20 diffuse rays. On top of that, element phase errors that differ from channel to channel, and half
    of one subarray blocked.

    Args:
        preset: name of a channel preset.
    """

    def __init__(self, preset):
        self.preset = preset
        self.channel = channel.preset(preset)
        self.array = self.channel.array

    def sample(self, batch, rng):
        """``batch`` channels in random order of kinds, complex64 [B, N], ||h||^2 = N each."""
        counts = rng.multinomial(batch, list(KINDS.values()))
        drawn = [getattr(self, f"_{kind}")(count, rng) for kind, count in zip(KINDS, counts) if count]
        h = np.concatenate(drawn)[rng.permutation(batch)]
        h = self._block(self._disturb(h, rng), rng)
        power = np.linalg.norm(h, axis=1, keepdims=True)
        return (h * (np.sqrt(h.shape[1]) / power)).astype(np.complex64)

    def _evaluate(self, model, paths):
        native = native_model(channel.preset(self.preset, n_paths=paths.shape[-1]))
        return native.response(*(getattr(paths, field) for field in PATH_FIELDS))

    def _nominal(self, batch, rng):
        return self._evaluate(self.channel, self.channel.draw_paths(batch, rng))

    def _counts(self, batch, rng):
        parts = []
        for count, n_paths in zip(*np.unique(rng.integers(1, 13, batch), return_counts=True)[::-1]):
            model = channel.preset(self.preset, n_paths=int(n_paths))
            parts.append(self._evaluate(model, model.draw_paths(int(count), rng)))
        return np.concatenate(parts)

    def _far(self, batch, rng):
        low = self.array.rayleigh_distance()
        return self._with_distances(batch, rng, (low, 2 * low), 2 * low)

    def _near(self, batch, rng):
        high = self.array.rayleigh_distance()
        return self._with_distances(batch, rng, (high / 3, high), 0.8 * high)

    def _with_distances(self, batch, rng, scatterers, user):
        model = channel.preset(self.preset, scatterer_distance=scatterers, los_distance=user)
        return self._evaluate(model, model.draw_paths(batch, rng))

    def _diffuse(self, batch, rng):
        paths = self.channel.draw_paths(batch, rng)
        shape = (batch, paths.shape[1], RAYS)
        spread = np.radians(rng.uniform(*RAY_SPREAD_DEG, (batch, 1, 1)))
        cycles = rng.random(shape) / self.array.carrier_frequency
        rays = {name: np.repeat(getattr(paths, name)[..., None], RAYS, -1) for name in PATH_FIELDS}
        rays["amplitude"] = rays["amplitude"] / np.sqrt(RAYS)
        rays["delay"] = rays["delay"] + cycles
        rays["elevation"] = rays["elevation"] + spread * rng.standard_normal(shape)
        rays["azimuth"] = rays["azimuth"] + spread * rng.standard_normal(shape)
        table = channel.PathTable(**{name: value.reshape(batch, -1) for name, value in rays.items()})
        return self._evaluate(self.channel, table)

    def _disturb(self, h, rng):
        rms = np.radians(rng.uniform(0, PHASE_ERROR_DEG, len(h))) * (rng.random(len(h)) < PHASE_ERROR_SHARE)
        return h * np.exp(1j * rms[:, None] * rng.standard_normal(h.shape)).astype(np.complex64)

    def _block(self, h, rng):
        """Half of the elements of one subarray hear nothing: those on one side of a random line."""
        array = self.array
        row, col = np.indices((array.rows, array.cols))
        row, col = row - 0.5 * (array.rows - 1), col - 0.5 * (array.cols - 1)
        h = h.reshape(len(h), array.n_subarrays, array.rows, array.cols)
        for k in np.flatnonzero(rng.random(len(h)) < BLOCKED_SHARE):
            angle = rng.uniform(0, 2 * np.pi)
            h[k, rng.integers(array.n_subarrays)] *= np.cos(angle) * row + np.sin(angle) * col > 0
        return h.reshape(len(h), -1)
