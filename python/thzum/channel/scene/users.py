# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the users are: fixed places, or drops in a room or in a sector with minimum distances."""

from dataclasses import dataclass, fields

import numpy as np

from ..hardware.checks import real
from ..keys import mapping, one_of, refuse_unknown
from .component import Component, interval, plain, point
from .reflections import Room

#: Attempts to place one user before a drop counts as infeasible.
MAX_ATTEMPTS = 500


@dataclass(frozen=True)
class FixedUsers(Component):
    """Users at stated places.

    Attributes:
        positions: of the users in the world, a list of [x, y, z] in m.
    """

    positions: tuple

    def __post_init__(self):
        if not isinstance(self.positions, (list, tuple, np.ndarray)) or not len(self.positions):
            raise ValueError(f"positions: expected a list of [x, y, z] in m, got {self.positions!r}")
        self._set(positions=tuple(point("positions", item) for item in self.positions))

    def check(self, array, room):
        """Raise ValueError where a user cannot be."""
        local = array.to_local(self.positions)
        array.directions_of(self.positions)
        if np.any(local[:, 2] <= 0):
            bad = self.positions[int(np.argmin(local[:, 2]))]
            raise ValueError(f"positions: expected users before the array, got {bad} m behind its plane")
        if room is not None and not np.all(room.contains(self.positions)):
            bad = self.positions[int(np.argmin(room.contains(self.positions)))]
            raise ValueError(f"positions: expected users inside the room, got {bad} m")

    def draw(self, array, batch, n_users, rng):
        """The positions ``batch`` times, float64 [B, K, 3]."""
        if n_users != len(self.positions):
            raise ValueError(f"n_users: expected the {len(self.positions)} of the fixed positions, got {n_users}")
        return np.tile(np.array(self.positions), (batch, 1, 1))


class _Drop:
    """Random positions with minimum distances, by rejection."""

    def _check_distances(self):
        for name in ("min_array_distance", "min_user_distance"):
            self._set(**{name: real(name, getattr(self, name), low=0.0)})

    def check(self, array, room):
        """Raise ValueError where users could be inside the array."""
        extent = float(np.linalg.norm(array.aperture)) + array.wavelength
        if self.min_array_distance <= extent:
            raise ValueError(
                f"min_array_distance: expected more than the array's extent of {extent:.3g} m, "
                f"got {self.min_array_distance:g}"
            )

    def draw(self, array, batch, n_users, rng):
        """Positions in the world, float64 [B, K, 3].

        Raises:
            ValueError: so many users cannot keep their distances, or :data:`MAX_ATTEMPTS` did not find a place.
        """
        self._check_packing(array, n_users)
        placed = np.empty((batch, n_users, 3))
        for user in range(n_users):
            open_ = np.arange(batch)
            for _ in range(MAX_ATTEMPTS):
                placed[open_, user] = self._candidates(array, len(open_), rng)
                good = self._acceptable(array, placed[open_, : user + 1])
                open_ = open_[~good]
                if not len(open_):
                    break
            else:
                raise ValueError(
                    f"min_user_distance, min_array_distance: found no place for user {user + 1} of {n_users} in "
                    f"{MAX_ATTEMPTS} attempts; lower the distances or the number of users, or enlarge the region"
                )
        return placed

    def _acceptable(self, array, placed):
        """Whether the last of the users placed, float64 [n, users, 3], keeps its distances; bool [n]."""
        last = placed[:, -1]
        good = np.linalg.norm(last - np.asarray(array.position), axis=-1) >= self.min_array_distance
        good &= array.to_local(last)[:, 2] > array.wavelength
        apart = np.linalg.norm(placed[:, :-1] - last[:, None], axis=-1)
        return good & np.all(apart >= self.min_user_distance, axis=-1)

    def _check_packing(self, array, n_users):
        """Balls of half the distance around the users must fit into the region grown by as much."""
        size = np.asarray(self._extent(array)) + self.min_user_distance
        if n_users * np.pi / 6 * self.min_user_distance**3 > np.prod(size):
            raise ValueError(
                f"min_user_distance: {n_users} users at least {self.min_user_distance:g} m apart do not fit into a "
                "region of this size; lower the distance or the number of users"
            )


@dataclass(frozen=True)
class RoomUsers(Component, _Drop):
    """Users uniform in a room, before the array.

    Attributes:
        room: the :class:`Room`, or its dictionary.
        margin: distance from the walls in m.
        height: (min, max) of the world's z in m, or None for the whole room.
        min_array_distance: from the array's origin in m.
        min_user_distance: between any two users in m.
    """

    room: Room = Room()
    margin: float = 0.2
    height: tuple | None = None
    min_array_distance: float = 1.0
    min_user_distance: float = 0.5

    def __post_init__(self):
        if not isinstance(self.room, Room):
            self._set(room=Room.from_dict(self.room))
        self._set(margin=real("margin", self.margin, low=0.0))
        if self.height is not None:
            self._set(height=interval("height", self.height))
        self._check_distances()
        low, high = self._limits()
        if np.any(low > high):
            raise ValueError("margin, height: expected a part of the room, which they leave none of")

    def _limits(self):
        low = np.add(self.room.corner, self.margin)
        high = np.add(self.room.corner, self.room.size) - self.margin
        if self.height is not None:
            low[2], high[2] = max(low[2], self.height[0]), min(high[2], self.height[1])
        return low, high

    def _extent(self, array):
        return np.subtract(*self._limits()[::-1])

    def _candidates(self, array, n, rng):
        return rng.uniform(*self._limits(), (n, 3))


@dataclass(frozen=True)
class SectorUsers(Component, _Drop):
    """Users of a cell, uniform over the area of a sector before the array.

    The sector lies in the array's x-z plane, its columns and its normal, symmetrical to the normal.

    Attributes:
        distance: (min, max) along the ground in m.
        width_deg: opening angle, above 0 and below 180.
        drop: (min, max) in m that users are below the array's origin, along -y of its frame.
        min_array_distance: from the array's origin in m.
        min_user_distance: between any two users in m.
    """

    distance: tuple = (5.0, 50.0)
    width_deg: float = 120.0
    drop: tuple = (2.0, 4.0)
    min_array_distance: float = 1.0
    min_user_distance: float = 0.5

    def __post_init__(self):
        self._set(
            distance=interval("distance", self.distance, low=0.0),
            width_deg=real("width_deg", self.width_deg, above=0.0, high=179.0),
            drop=interval("drop", self.drop),
        )
        self._check_distances()
        if np.hypot(self.distance[1], max(abs(value) for value in self.drop)) < self.min_array_distance:
            raise ValueError(
                f"min_array_distance: expected at most the sector's radius, got {self.min_array_distance:g}"
            )

    def _extent(self, array):
        return [2 * self.distance[1], self.drop[1] - self.drop[0], self.distance[1]]

    def _candidates(self, array, n, rng):
        ground = np.sqrt(rng.uniform(*np.square(self.distance), n))
        angle = np.deg2rad(self.width_deg) * rng.uniform(-0.5, 0.5, n)
        below = rng.uniform(*self.drop, n)
        return array.to_world(np.stack([ground * np.sin(angle), -below, ground * np.cos(angle)], axis=-1))


_KINDS = {"fixed": FixedUsers, "room": RoomUsers, "sector": SectorUsers}


def users_from_dict(config):
    """The users of {"kind": "fixed", "room" or "sector", ...parameters}."""
    kind = _KINDS[one_of("users.kind", mapping("users", config).get("kind"), _KINDS)]
    rest = {name: value for name, value in config.items() if name != "kind"}
    refuse_unknown("users", rest, [field.name for field in fields(kind)])
    return kind.from_dict(rest)


def users_to_dict(users):
    """The dictionary from which :func:`users_from_dict` makes the same users."""
    (kind,) = [name for name, cls in _KINDS.items() if type(users) is cls]
    return {"kind": kind, **plain(users)}
