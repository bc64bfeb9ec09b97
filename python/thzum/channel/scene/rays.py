# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths with their sources in space, from which a path table is made at any time."""

from dataclasses import dataclass, fields

import numpy as np

from ..paths import PathTable


@dataclass
class Rays:
    """Paths of B channels of K users; every field has the shape [B, K, L], or more.

    Attributes:
        amplitude: float64, at the array's origin; 0 for places that are not taken.
        delay: float64, of the whole path in s.
        source: float64 [B, K, L, 3], where the path comes from last, in the world in m.
        kind: int8, a PathKind.
        phase: float64, on top of the delay's in radians.
        follow: float64 [B, K, L, 3]: 1 for the user itself, 1 and -1 along the axes of the world for an image
            of the user in walls, 0 for a scatterer, which does not move with the user.
    """

    amplitude: np.ndarray
    delay: np.ndarray
    source: np.ndarray
    kind: np.ndarray
    phase: np.ndarray
    follow: np.ndarray

    @classmethod
    def joined(cls, parts):
        """All paths of several Rays of the same channels."""
        axis = {"source": -2, "follow": -2}
        names = [field.name for field in fields(cls)]
        lists = {name: [getattr(part, name) for part in parts] for name in names}
        return cls(**{name: np.concatenate(values, axis=axis.get(name, -1)) for name, values in lists.items()})

    def power(self):
        """Sum of squared amplitudes, float64 [B, K]."""
        return np.sum(self.amplitude**2, axis=-1)

    def table(self, array, doppler=None):
        """The :class:`PathTable` [B, K, L] that ``array`` sees."""
        distance, elevation, azimuth = array.directions_of(self.source)
        return PathTable(
            amplitude=self.amplitude,
            delay=self.delay,
            distance=distance,
            elevation=elevation,
            azimuth=azimuth,
            near=distance < array.rayleigh_distance(),
            phase=self.phase,
            doppler=doppler,
            kind=self.kind,
        )


def scattered(array, amplitude, delay, direction, distance, kind, rng):
    """Rays from scatterers that do not move with the user, of random phase; directions in the array's frame."""
    return Rays(
        amplitude=amplitude,
        delay=delay,
        source=array.to_world(distance[..., None] * direction),
        kind=np.full(amplitude.shape, kind, np.int8),
        phase=rng.uniform(-np.pi, np.pi, amplitude.shape),
        follow=np.zeros((*amplitude.shape, 3)),
    )


def unit_vectors(elevation, azimuth):
    """Unit vectors of the array's frame, float64 [..., 3]."""
    across = np.sin(elevation)
    return np.stack([across * np.cos(azimuth), across * np.sin(azimuth), np.cos(elevation)], axis=-1)
