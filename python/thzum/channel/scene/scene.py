# SPDX-License-Identifier: GPL-3.0-or-later
"""A scene: users before an array and everything that carries their waves to it."""

from dataclasses import dataclass, fields

import numpy as np

from ...array import SubarrayArray, array_preset
from ..hardware.checks import boolean, integer
from ..keys import mapping, refuse_unknown
from ..response import RESOLUTIONS, response
from .clusters import Clusters
from .component import plain
from .diffuse import Diffuse
from .line_of_sight import LineOfSight
from .loss import PathLoss
from .mobility import Mobility, MovingPaths
from .obstruction import Blockage, Visibility
from .rays import Rays
from .reflections import ImageReflections, Reflections, Room
from .users import FixedUsers, RoomUsers, SectorUsers, users_from_dict, users_to_dict

# Complex values of the response that are computed at once, to bound the memory.
_VALUES_AT_ONCE = 1 << 21


@dataclass(frozen=True)
class Scene:
    """A channel model put together from parts; a part that is None is left out.

    All parameters are checked, and the absorption at the carrier is computed, when the scene is made: nothing is
    drawn before that. Phases of direct and wall-reflected paths follow from geometry, all others are uniform.

    Attributes:
        array: the :class:`~gnuradio.thzum.array.SubarrayArray`.
        users: :class:`FixedUsers`, :class:`RoomUsers` or :class:`SectorUsers`.
        line_of_sight: :class:`LineOfSight`; None leaves the direct path out.
        reflections: :class:`Reflections`, drawn at random.
        image_reflections: :class:`ImageReflections` at the walls of ``room``.
        clusters: :class:`Clusters`.
        diffuse: :class:`Diffuse` rays around the reflected paths.
        blockage: :class:`Blockage`.
        visibility: :class:`Visibility` of the subarrays.
        path_loss: :class:`PathLoss`.
        mobility: :class:`Mobility`, for :meth:`moving`.
        room: :class:`Room`; that of RoomUsers by default.
        resolution: "subarray" or "element", see :func:`~gnuradio.thzum.channel.response`.

    >>> from gnuradio.thzum.array import array_preset
    >>> scene = Scene(array_preset("thz300_aosa4x256"), FixedUsers([[0.0, 0.0, 10.0]]), clusters=Clusters())
    >>> scene.sample(3, seed=1).shape
    (3, 1024)
    """

    array: SubarrayArray
    users: FixedUsers | RoomUsers | SectorUsers
    line_of_sight: LineOfSight | None = LineOfSight()
    reflections: Reflections | None = None
    image_reflections: ImageReflections | None = None
    clusters: Clusters | None = None
    diffuse: Diffuse | None = None
    blockage: Blockage | None = None
    visibility: Visibility | None = None
    path_loss: PathLoss = PathLoss()
    mobility: Mobility | None = None
    room: Room | None = None
    resolution: str = "subarray"

    def __post_init__(self):
        if not isinstance(self.array, SubarrayArray):
            raise ValueError(f"array: expected a SubarrayArray, got {type(self.array).__name__}")
        if not isinstance(self.users, (FixedUsers, RoomUsers, SectorUsers)):
            raise ValueError(
                f"users: expected FixedUsers, RoomUsers or SectorUsers, got {type(self.users).__name__}"
            )
        for name, kind in _PARTS.items():
            part = getattr(self, name)
            if not (isinstance(part, kind) or (part is None and name != "path_loss")):
                raise ValueError(f"{name}: expected {kind.__name__} or None, got {type(part).__name__}")
        if self.resolution not in RESOLUTIONS:
            raise ValueError(f"resolution: expected one of {RESOLUTIONS}, got {self.resolution!r}")
        if self.room is None and isinstance(self.users, RoomUsers):
            object.__setattr__(self, "room", self.users.room)
        self._check_parts()
        object.__setattr__(self, "_loss", self.path_loss.at(self.array.carrier_frequency))

    def _check_parts(self):
        others = (self.reflections, self.image_reflections, self.clusters)
        if self.line_of_sight is None and not any(others):
            raise ValueError("line_of_sight: expected it, or reflections or clusters, got a scene without paths")
        if self.image_reflections is not None and self.room is None:
            raise ValueError("room: expected a Room, as image_reflections need its walls")
        if self.room is not None and not self.room.contains(self.array.position, margin=-1e-9):
            raise ValueError(f"room: expected the array inside it, got an array at {self.array.position} m")
        if self.mobility is not None and self.mobility.model == "waypoints" and isinstance(self.users, FixedUsers):
            raise ValueError("mobility: expected users of a room or sector for 'waypoints', got fixed positions")
        if self.diffuse is not None and not (self.reflections or self.image_reflections):
            raise ValueError("diffuse: expected reflections or image_reflections to scatter around, got neither")
        extent = float(np.linalg.norm(self.array.aperture)) + self.array.wavelength
        for name, distance in (
            ("reflections.distance", self.reflections and self.reflections.distance[0]),
            ("clusters.min_distance", self.clusters and self.clusters.min_distance),
        ):
            if distance is not None and distance <= extent:
                raise ValueError(f"{name}: expected more than the array's extent of {extent:.3g} m, got {distance:g}")
        self.users.check(self.array, self.room)

    @classmethod
    def from_dict(cls, config, array=None):
        """A scene from nested dictionaries, as read from YAML or JSON.

        Args:
            config: {part: {parameter: value}} with the names of this class's attributes; "users" has a "kind",
                "fixed", "room" or "sector", beside its parameters; a part that is None or False is left out, and
                so is one that is missing, except for the line of sight and the path loss.
            array: the :class:`SubarrayArray`; by default ``config["array"]``, a preset's name or its parameters.

        Raises:
            ValueError: an unknown part or parameter, one that is missing, or a value out of range.
        """
        mapping("scene", config)
        names = [field.name for field in fields(cls)]
        refuse_unknown("scene", config, names)
        for name in ("users",) if array is not None else ("array", "users"):
            if name not in config:
                raise ValueError(f"{name}: expected in the scene's dictionary, got keys {sorted(config)}")
        given = {name: value for name, value in config.items() if name != "array"}
        given["array"] = _array(config["array"]) if array is None else array
        if isinstance(given["users"], dict):
            given["users"] = users_from_dict(given["users"])
        for name, kind in _PARTS.items():
            if name in given and given[name] is False:
                given[name] = None
            elif isinstance(given.get(name), dict):
                given[name] = _built(name, kind, given[name])
        return cls(**given)

    def to_dict(self):
        """The nested dictionaries from which :meth:`from_dict` makes the same scene."""
        array = {field.name: plain(getattr(self.array, field.name)) for field in fields(self.array)}
        parts = {name: plain(getattr(self, name)) for name in _PARTS}
        return {"array": array, "users": users_to_dict(self.users), **parts, "resolution": self.resolution}

    @property
    def n_paths(self):
        """Places L for paths in the tables of this scene."""
        reflected = sum(part.n_paths for part in (self.reflections, self.image_reflections) if part is not None)
        scattered = reflected * (self.diffuse.n_rays if self.diffuse else 0)
        clustered = self.clusters.n_paths if self.clusters else 0
        return (self.line_of_sight is not None) + reflected + scattered + clustered

    def draw_paths(self, batch, rng, n_users=None):
        """Random paths, a :class:`PathTable` [B, L], or [B, K, L] with ``n_users`` = K.

        Path 0 is the line of sight; reflected, clustered and diffuse ones follow. Places without a path have the
        amplitude 0.

        Args:
            batch: number of channels B.
            rng: a ``numpy.random.Generator``, or an integer seed.
            n_users: users K in each channel, or None for one and no axis for it.
        """
        rays, visible = self._draw(batch, np.random.default_rng(rng), n_users)[:2]
        return _without_users(self._table(rays, visible), n_users)

    def sample(self, batch, seed=0, n_users=None, normalise=True):
        """Random channels, complex64 [B, N] or [B, K, N], ordered [subarray][row][column].

        Args:
            batch: number of channels B.
            seed: an integer or a ``numpy.random.Generator``; the same integer gives the same channels.
            n_users: users K in each channel, or None for one and no axis for it.
            normalise: True scales each channel to ||h||^2 = N; False keeps the gains of path loss, absorption
                and blockage between isotropic antennas.
        """
        normalise = boolean("normalise", normalise)
        rng = np.random.default_rng(seed)
        rays, visible, _ = self._draw(batch, rng, n_users)
        table = self._table(*_packed(rays, visible))
        seen = self.draw_elements(table.shape[:-1], rng)
        step = max(1, _VALUES_AT_ONCE // (int(np.prod(table.shape[1:])) * self.array.n_antennas))
        pieces = [slice(start, start + step) for start in range(0, table.shape[0], step)]
        parts = []
        for piece in pieces:
            h = response(
                self.array, table[piece], resolution=self.resolution, normalise=False, dtype=np.complex128
            )
            h = h if seen is None else h * seen[piece]
            if normalise:
                power = np.sum(np.abs(h) ** 2, axis=-1, keepdims=True)
                h = h * np.sqrt(self.array.n_antennas / np.where(power > 0, power, 1.0))
            parts.append(h.astype(np.complex64))
        h = np.concatenate(parts)
        return h[:, 0] if n_users is None else h

    def draw_elements(self, shape, rng):
        """Elements that half-subarray blockage leaves, bool [..., N], or None where it leaves all.

        A path table cannot say this: :meth:`sample` draws it after the table and multiplies the channels with it.
        """
        if self.blockage is None or self.blockage.half_subarray_probability == 0:
            return None
        seen = self.blockage.draw_elements(shape, self.array, rng)
        return seen.reshape(*shape, self.array.n_antennas)

    def moving(self, batch, seed=0, n_users=None):
        """Random channels whose users and scatterers move as ``mobility`` says, :class:`MovingPaths` [B, K, L].

        ``moving(...).at(time)`` is the path table of a time; K is 1 where ``n_users`` is None.
        """
        if self.mobility is None:
            raise ValueError("mobility: expected a Mobility in this scene, got None")
        rng = np.random.default_rng(seed)
        rays, visible, start = self._draw(batch, rng, n_users)
        trajectory = self.mobility.draw_trajectory(self.users, self.array, start, rng)
        drift = self.mobility.draw_scatterers(rays.amplitude.shape, rng)
        return MovingPaths(self.array, rays, trajectory, drift, self._loss, visible)

    def _draw(self, batch, rng, n_users):
        """(:class:`Rays` [B, K, L], visible bool [B, K, L, S] or None, users float64 [B, K, 3])."""
        batch = integer("batch", batch, 1)
        users = self.users.draw(self.array, batch, integer("n_users", 1 if n_users is None else n_users, 1), rng)
        others = self._others(users, rng)
        parts = [Rays.joined(others)] if others else []
        if self.line_of_sight is not None:
            direct = self.line_of_sight.draw(self.array, users, self._loss, rng)
            if parts:
                self.line_of_sight.scale_others(direct, parts[0])
            self.line_of_sight.block(direct, rng)
        if parts and self.blockage is not None:
            self.blockage.block_paths(parts[0], rng)
        if self.line_of_sight is not None:
            parts.insert(0, direct)
        rays = Rays.joined(parts)
        return rays, self._visible(rays.amplitude.shape, rng), users

    def _others(self, users, rng):
        """The paths other than the direct one, a list of :class:`Rays`."""
        drawn = []
        if self.reflections is not None:
            drawn.append(self.reflections.draw(self.array, users, self._loss, rng))
        if self.image_reflections is not None:
            drawn.append(self.image_reflections.draw(self.array, users, self._loss, self.room))
        scattered = [self.diffuse.draw(self.array, rays, rng) for rays in drawn] if self.diffuse else []
        if self.clusters is not None:
            drawn.append(self.clusters.draw(self.array, users, self._loss, rng))
        return drawn + scattered

    def _visible(self, shape, rng):
        """Subarrays that see each path, bool [B, K, L, S], or None where all see all."""
        visible = None
        if self.visibility is not None:
            visible = self.visibility.draw(shape, self.array, rng)
            if self.line_of_sight is not None and not self.visibility.line_of_sight:
                visible[..., 0, :] = True
        if self.blockage is not None and self.blockage.subarray_probability > 0:
            seen = self.blockage.draw_subarrays(shape[:-1], self.array.n_subarrays, rng)[..., None, :]
            visible = np.broadcast_to(seen, (*shape, seen.shape[-1])).copy() if visible is None else visible & seen
        return visible

    def _table(self, rays, visible):
        table = rays.table(self.array)
        table.visible = visible
        return table


_PARTS = {
    "line_of_sight": LineOfSight,
    "reflections": Reflections,
    "image_reflections": ImageReflections,
    "clusters": Clusters,
    "diffuse": Diffuse,
    "blockage": Blockage,
    "visibility": Visibility,
    "path_loss": PathLoss,
    "mobility": Mobility,
    "room": Room,
}


def _array(config):
    if isinstance(config, SubarrayArray):
        return config
    if isinstance(config, str):
        return array_preset(config)
    mapping("array", config)
    refuse_unknown("array", config, [field.name for field in fields(SubarrayArray)])
    try:
        return SubarrayArray(**config)
    except TypeError as error:
        raise ValueError(f"array: {error}") from None


def _built(name, kind, config):
    try:
        return kind.from_dict(config)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _packed(rays, visible):
    """The paths without the places that no channel of the batch has taken."""
    used = np.any(rays.amplitude > 0, axis=(0, 1))
    used[0] = True
    values = {field.name: getattr(rays, field.name)[:, :, used] for field in fields(Rays)}
    return Rays(**values), None if visible is None else visible[:, :, used]


def _without_users(table, n_users):
    return table[:, 0] if n_users is None else table
