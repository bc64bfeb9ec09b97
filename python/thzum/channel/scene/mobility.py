# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion: trajectories, and the paths of a moving scene at any time."""

from dataclasses import dataclass

import numpy as np

from ...array import SPEED_OF_LIGHT
from ..hardware.checks import integer, real
from .component import Component

MODELS = ("linear", "waypoints")


class LinearTrajectory:
    """Motion at constant velocity.

    Args:
        start: float64 [..., 3] in m.
        velocity: float64, broadcast to the shape of ``start``, in m/s.
    """

    def __init__(self, start, velocity):
        self.start = _finite("start", start)
        self.velocity = np.broadcast_to(_finite("velocity", velocity), self.start.shape)

    def at(self, time):
        """Position and velocity at ``time`` in s, two float64 [..., 3]."""
        return self.start + self.velocity * time, self.velocity


class WaypointTrajectory:
    """Straight walks from point to point at constant speed, and a halt at the last.

    Args:
        points: float64 [..., W, 3] in m, W of at least 2.
        speed: in m/s, above 0.
    """

    def __init__(self, points, speed):
        self.points = _finite("points", points)
        if self.points.ndim < 2 or self.points.shape[-2] < 2:
            raise ValueError(f"points: expected an array [..., W, 3] of W >= 2 points, got {self.points.shape}")
        self.speed = real("speed", speed, above=0.0)
        legs = np.diff(self.points, axis=-2)
        length = np.linalg.norm(legs, axis=-1)
        self._direction = legs / np.where(length > 0, length, 1.0)[..., None]
        self._end = np.cumsum(length, axis=-1) / self.speed
        self._begin = self._end - length / self.speed

    def at(self, time):
        """Position and velocity at ``time`` in s from 0, two float64 [..., 3]."""
        if time < 0:
            raise ValueError(f"time: expected seconds from 0, where the walk begins, got {time!r}")
        leg = np.minimum(np.sum(time >= self._end, axis=-1), self._end.shape[-1] - 1)[..., None]
        begin, end = (np.take_along_axis(values, leg, -1) for values in (self._begin, self._end))
        direction = np.take_along_axis(self._direction, leg[..., None], -2)[..., 0, :]
        origin = np.take_along_axis(self.points, leg[..., None], -2)[..., 0, :]
        walked = self.speed * (np.clip(time, begin, end) - begin)
        return origin + walked * direction, np.where(time < end, self.speed, 0.0) * direction


@dataclass(frozen=True)
class Mobility(Component):
    """How users and scatterers move.

    Attributes:
        model: "linear", every user straight on in a direction uniform on the sphere, through walls
            too; or "waypoints", from its place to others, drawn like the scene's users.
        speed: of the users in m/s.
        n_waypoints: places to walk to.
        scatterer_speed: of every scatterer in m/s, straight on in a random direction.
    """

    model: str = "linear"
    speed: float = 1.0
    n_waypoints: int = 4
    scatterer_speed: float = 0.0

    def __post_init__(self):
        if self.model not in MODELS:
            raise ValueError(f"model: expected one of {MODELS}, got {self.model!r}")
        self._set(
            speed=real("speed", self.speed, low=0.0, high=1e4),
            n_waypoints=integer("n_waypoints", self.n_waypoints, 1, 10000),
            scatterer_speed=real("scatterer_speed", self.scatterer_speed, low=0.0, high=1e4),
        )
        if self.model == "waypoints" and self.speed == 0:
            raise ValueError("speed: expected more than 0 for the model 'waypoints'")

    def draw_trajectory(self, users, array, start, rng):
        """The users' motion from ``start``, float64 [B, K, 3]; ``users`` is their drop."""
        if self.model == "linear":
            return LinearTrajectory(start, self.speed * _directions(start.shape[:-1], rng))
        stops = [users.draw(array, *start.shape[:-1], rng) for _ in range(self.n_waypoints)]
        return WaypointTrajectory(np.stack([start, *stops], axis=-2), self.speed)

    def draw_scatterers(self, shape, rng):
        """Velocities of scatterers in m/s, float64 [*shape, 3]."""
        return self.scatterer_speed * _directions(shape, rng)


class MovingPaths:
    """The paths of a batch of channels while users and scatterers move.

    Lengths are geometric at every time: that of the direct path and of wall reflections is the distance of the
    user or of its image; that of a scattered path is user to scatterer to array, plus a constant that makes up
    for the delay drawn at time 0 (further bounces on the way). Phases therefore run on continuously, and the
    Doppler shift is -carrier d(delay)/dt. Amplitudes follow the path loss of the length; reflection
    coefficients, blockage and visibility stay as drawn.

    Args:
        array: the :class:`~gnuradio.thzum.array.SubarrayArray`.
        rays: the :class:`Rays` [B, K, L] at time 0.
        trajectory: of the users, with ``at(time)`` giving position and velocity [B, K, 3].
        scatterer_velocity: in m/s, broadcast to [B, K, L, 3].
        loss: a :class:`LossAtFrequency`, or None for constant amplitudes.
        visible: bool [B, K, L, S], or None.
    """

    def __init__(self, array, rays, trajectory, scatterer_velocity=0.0, loss=None, visible=None):
        self.array = array
        self.rays = rays
        self.trajectory = trajectory
        still = np.any(rays.follow != 0, axis=-1, keepdims=True)
        self._scatterer_velocity = np.where(still, 0.0, scatterer_velocity) + np.zeros_like(rays.source)
        self._loss = loss
        self._visible = visible
        self._start = trajectory.at(0.0)[0]
        if self._start.shape != (*rays.amplitude.shape[:-1], 3):
            raise ValueError(
                f"trajectory: expected positions {(*rays.amplitude.shape[:-1], 3)}, got {self._start.shape}"
            )
        length, _ = self._lengths(*self._geometry(0.0))
        self._extra = rays.delay - length / SPEED_OF_LIGHT

    def at(self, time):
        """The :class:`PathTable` [B, K, L] at ``time`` in s.

        Raises:
            ValueError: the time is not finite, or a user or scatterer has moved into the array.
        """
        time = real("time", time)
        geometry = self._geometry(time)
        length, rate = self._lengths(*geometry)
        delay = self._extra + length / SPEED_OF_LIGHT
        rays = self.rays
        amplitude = rays.amplitude
        if self._loss is not None:
            then, now = (self._loss.gain(SPEED_OF_LIGHT * value) for value in (rays.delay, delay))
            amplitude = amplitude * now / np.where(then > 0, then, 1.0)
        moved = type(rays)(amplitude, delay, geometry[0], rays.kind, rays.phase, rays.follow)
        table = moved.table(self.array, -self.array.carrier_frequency * rate / SPEED_OF_LIGHT)
        table.visible = self._visible
        return table

    def users_at(self, time):
        """Positions of the users in the world at ``time`` in s, float64 [B, K, 3] in m."""
        return self.trajectory.at(real("time", time))[0]

    def _geometry(self, time):
        """Sources and their velocities [B, K, L, 3], users and their velocities [B, K, 1, 3]."""
        user, velocity = (value[..., None, :] for value in self.trajectory.at(time))
        follow = self.rays.follow
        moved = follow * (user - self._start[..., None, :]) + self._scatterer_velocity * time
        return self.rays.source + moved, follow * velocity + self._scatterer_velocity, user, velocity

    def _lengths(self, source, source_velocity, user, velocity):
        """Lengths in m and their rates in m/s, two float64 [B, K, L]."""
        scattered = np.all(self.rays.follow == 0, axis=-1)
        last, last_rate = _distance(source - np.asarray(self.array.position), source_velocity)
        first, first_rate = _distance(user - source, velocity - source_velocity)
        return last + scattered * first, last_rate + scattered * first_rate


def _distance(separation, velocity):
    """Norm of ``separation`` [..., 3] and its rate of change."""
    norm = np.linalg.norm(separation, axis=-1)
    along = np.einsum("...i,...i->...", separation, velocity + np.zeros_like(separation))
    return norm, along / np.where(norm > 0, norm, 1.0)


def _directions(shape, rng):
    """Unit vectors uniform on the sphere, float64 [*shape, 3]."""
    vectors = rng.standard_normal((*shape, 3))
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _finite(name, value):
    array = np.asarray(value, float)
    if array.ndim < 1 or array.shape[-1] != 3 or not np.isfinite(array).all():
        raise ValueError(f"{name}: expected finite numbers [..., 3], got shape {array.shape}")
    return array
