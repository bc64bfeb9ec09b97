# SPDX-License-Identifier: GPL-3.0-or-later
"""Reflected paths: drawn at random, or from the images of the user in the walls of a room."""

from dataclasses import dataclass
from itertools import product

import numpy as np

from ..hardware.checks import integer, real
from ..paths import PathKind
from ..reflection import POLARISATIONS, fresnel, roughness_factor
from .component import Component, complex_number, interval, point
from .rays import Rays, scattered, unit_vectors


class _Surface:
    """Parameters of the reflecting material, shared by both kinds of reflections."""

    def _check_surface(self):
        if self.polarisation not in POLARISATIONS:
            raise ValueError(f"polarisation: expected one of {POLARISATIONS}, got {self.polarisation!r}")
        self._set(
            refractive_index=complex_number("refractive_index", self.refractive_index),
            roughness=real("roughness", self.roughness, low=0.0),
        )
        if self.refractive_index.real <= 0:
            raise ValueError(f"refractive_index: expected a positive real part, got {self.refractive_index!r}")

    def coefficient(self, frequency, incidence):
        """Complex amplitude reflection coefficient at an incidence in radians."""
        smooth = fresnel(self.refractive_index, incidence, self.polarisation)
        return smooth * roughness_factor(frequency, self.roughness, incidence)


@dataclass(frozen=True)
class Reflections(Component, _Surface):
    """Reflections drawn without regard to geometry, in the manner of Yu et al., IEEE JSTSP 2023.

    Directions are uniform in elevation and azimuth before the array, incidences uniform from 0 to 90 degrees,
    the phase is uniform; the amplitude is that of the path's length times the reflection coefficient.

    Attributes:
        number: of reflected paths.
        distance: (min, max) of the reflecting point from the array in m, uniform.
        excess_delay: paths arrive up to this fraction of the direct path's delay after it, uniform.
        refractive_index: complex index of the surfaces.
        roughness: rms height in m.
        polarisation: "te" or "tm".
    """

    number: int = 4
    distance: tuple = (10.0, 25.0)
    excess_delay: float = 0.1
    refractive_index: complex = 2.24 - 0.025j
    roughness: float = 88e-6
    polarisation: str = "te"

    def __post_init__(self):
        self._set(
            number=integer("number", self.number, 1, 10000),
            distance=interval("distance", self.distance, above=0.0),
            excess_delay=real("excess_delay", self.excess_delay, low=0.0),
        )
        self._check_surface()

    @property
    def n_paths(self):
        """Number of paths."""
        return self.number

    def draw(self, array, users, loss, rng):
        """:class:`Rays` [B, K, number]."""
        shape = (*users.shape[:-1], self.number)
        direct = np.linalg.norm(users - np.asarray(array.position), axis=-1)[..., None]
        length = direct * (1 + self.excess_delay * rng.random(shape))
        incidence = 0.5 * np.pi * rng.random(shape)
        amplitude = loss.gain(length) * np.abs(self.coefficient(loss.frequency, incidence))
        direction = unit_vectors(rng.uniform(-0.5, 0.5, shape) * np.pi, rng.uniform(-np.pi, np.pi, shape))
        distance = rng.uniform(*self.distance, shape)
        return scattered(array, amplitude, loss.delay(length), direction, distance, PathKind.REFLECTED, rng)


@dataclass(frozen=True)
class Room(Component):
    """A box with walls along the axes of the world.

    Attributes:
        corner: its lowest corner in the world, (x, y, z) in m.
        size: its extent along x, y and z in m.
    """

    corner: tuple = (-5.0, -2.0, 0.0)
    size: tuple = (10.0, 4.0, 20.0)

    def __post_init__(self):
        self._set(corner=point("corner", self.corner), size=point("size", self.size))
        if min(self.size) <= 0:
            raise ValueError(f"size: expected positive metres along x, y and z, got {self.size}")

    def contains(self, points, margin=0.0):
        """True for points [..., 3] of the world at least ``margin`` m from all walls."""
        low, high = np.add(self.corner, margin), np.add(self.corner, self.size) - margin
        points = np.asarray(points)
        return np.all((points >= low) & (points <= high), axis=-1)

    def images(self, points, orders):
        """Images of points in the walls (Allen and Berkley, J. Acoust. Soc. Am., 1979, doi 10.1121/1.382599).

        Args:
            points: float64 [..., 3] in the room.
            orders: int [I, 3]; |n| is the number of reflections at the two walls of an axis, its sign the side.

        Returns float64 [..., I, 3].
        """
        orders = np.asarray(orders)
        inside = np.asarray(points)[..., None, :] - self.corner
        straight, mirrored = orders * self.size + inside, (orders + 1) * np.asarray(self.size) - inside
        return self.corner + np.where(orders % 2 == 0, straight, mirrored)


@dataclass(frozen=True)
class ImageReflections(Component, _Surface):
    """Reflections by the walls of the scene's room, from the images of the user.

    Length, direction, incidence at every wall and phase follow from geometry, and the wavefront is that of the
    image. A path that would reach the array from behind is left out: a panel looks to the front only.

    Attributes:
        max_order: greatest number of reflections on a path, 1 to 4.
        refractive_index, roughness, polarisation: of the walls, as in :class:`Reflections`. The polarisation is
            taken at every wall as stated: it is not turned from wall to wall.
    """

    max_order: int = 1
    refractive_index: complex = 2.24 - 0.025j
    roughness: float = 88e-6
    polarisation: str = "te"

    def __post_init__(self):
        self._set(max_order=integer("max_order", self.max_order, 1, 4))
        self._check_surface()

    def orders(self):
        """Reflections at the walls of each axis for every image, int [I, 3]."""
        side = range(-self.max_order, self.max_order + 1)
        return np.array([n for n in product(side, repeat=3) if 1 <= sum(map(abs, n)) <= self.max_order])

    @property
    def n_paths(self):
        """Number of images."""
        return len(self.orders())

    def draw(self, array, users, loss, room):
        """:class:`Rays` [B, K, I]; nothing is random."""
        orders = self.orders()
        images = room.images(users, orders)
        ray = images - np.asarray(array.position)
        length = np.linalg.norm(ray, axis=-1)
        # The angle to the walls of an axis is the same for the mirrored ray and for each leg of the path.
        incidence = np.arccos(np.clip(np.abs(ray) / length[..., None], 0, 1))
        factor = np.prod(self.coefficient(loss.frequency, incidence) ** np.abs(orders), axis=-1)
        front = array.to_local(images)[..., 2] > array.wavelength
        return Rays(
            amplitude=np.where(front, loss.gain(length) * np.abs(factor), 0.0),
            delay=loss.delay(length),
            source=np.where(front[..., None], images, array.to_world([0.0, 0.0, 1.0])),
            kind=np.full(length.shape, PathKind.REFLECTED, np.int8),
            phase=np.angle(factor),
            follow=np.where(front[..., None], np.where(orders % 2 == 0, 1.0, -1.0), 0.0),
        )
