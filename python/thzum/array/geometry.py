# SPDX-License-Identifier: GPL-3.0-or-later
"""Array of subarrays (AoSA): elements, place and orientation in the world, Rayleigh distance."""

from dataclasses import dataclass, replace

import numpy as np

#: Speed of light in m/s, rounded as in the published benchmark generator, so that presets agree with it.
SPEED_OF_LIGHT = 3e8


@dataclass(frozen=True)
class SubarrayArray:
    """Planar array of ``sub_rows x sub_cols`` subarrays of ``rows x cols`` elements in the x-y plane of its frame.

    The origin of the array frame is the first element of the first subarray; x runs along the columns, y along
    the rows, z is the normal and points to the front. Subarrays are numbered row-major; a channel vector is
    ordered [subarray][row (y)][column (x)]. ``sub_rows=1`` places the subarrays on a line along x.

    A point p of the array frame is ``position + rotation @ p`` in the world, with
    rotation = Rz(yaw) Ry(pitch) Rx(roll): roll about x first, then pitch about y, then yaw about z, all about
    the world's fixed axes. With zero orientation the axes of both frames agree. An array on a wall has
    orientation (yaw, 0, pi/2): its columns are horizontal, its rows vertical, and it looks into the horizontal
    direction of azimuth yaw - pi/2; :meth:`looking_at` finds the angles for a target.

    Attributes:
        sub_rows, sub_cols: subarrays along y and x.
        rows, cols: elements of one subarray along y and x.
        carrier_frequency: in Hz.
        spacing: element spacing in wavelengths.
        gap: distance between the facing edges of neighbouring subarrays, in wavelengths.
        position: of the array's origin in the world, (x, y, z) in m.
        orientation: (yaw, pitch, roll) in radians.

    Raises:
        ValueError: naming the argument, what was expected and what came.
    """

    sub_rows: int
    sub_cols: int
    rows: int
    cols: int
    carrier_frequency: float
    spacing: float
    gap: float
    position: tuple = (0.0, 0.0, 0.0)
    orientation: tuple = (0.0, 0.0, 0.0)

    def __post_init__(self):
        for name in ("sub_rows", "sub_cols", "rows", "cols"):
            value = getattr(self, name)
            if int(value) != value or value < 1:
                raise ValueError(f"{name}: expected an integer of at least 1, got {value!r}")
        for name in ("carrier_frequency", "spacing"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"{name}: expected a positive number, got {value!r}")
        if not (np.isfinite(self.gap) and self.gap >= 0):
            raise ValueError(f"gap: expected a number of wavelengths >= 0, got {self.gap!r}")
        for name, wanted in (("position", "(x, y, z) in m"), ("orientation", "(yaw, pitch, roll) in radians")):
            object.__setattr__(self, name, _triple(name, getattr(self, name), wanted))

    @classmethod
    def panel(cls, rows, cols, carrier_frequency, spacing=0.5, **place):
        """One subarray of ``rows x cols`` elements; ``place`` may hold position and orientation."""
        return cls(1, 1, rows, cols, carrier_frequency, spacing, gap=spacing, **place)

    @classmethod
    def linear(cls, n, carrier_frequency, spacing=0.5, n_subarrays=1, gap=None, **place):
        """``n`` elements on a line along x in each of ``n_subarrays`` subarrays, which follow each other along x.

        ``gap`` between their facing edges is one element spacing by default, so that the line is uniform.
        """
        return cls(1, n_subarrays, 1, n, carrier_frequency, spacing, spacing if gap is None else gap, **place)

    @property
    def wavelength(self):
        """Carrier wavelength in m."""
        return SPEED_OF_LIGHT / self.carrier_frequency

    @property
    def n_subarrays(self):
        """Number of subarrays S, which is the number of RF chains."""
        return self.sub_rows * self.sub_cols

    @property
    def n_antennas(self):
        """Number of antennas N over all subarrays."""
        return self.n_subarrays * self.rows * self.cols

    def subarray_origins(self):
        """Position of the first element of each subarray in m, float64 [S, 2] as (x, y)."""
        pitch_x = ((self.cols - 1) * self.spacing + self.gap) * self.wavelength
        pitch_y = ((self.rows - 1) * self.spacing + self.gap) * self.wavelength
        y, x = np.meshgrid(np.arange(self.sub_rows) * pitch_y, np.arange(self.sub_cols) * pitch_x, indexing="ij")
        return np.stack([x.ravel(), y.ravel()], axis=1)

    def subarray_centres(self):
        """Centre of each subarray in m, float64 [S, 2] as (x, y)."""
        half = 0.5 * self.spacing * self.wavelength * np.array([self.cols - 1, self.rows - 1])
        return self.subarray_origins() + half

    def estimator_options(self):
        """Options ``spacing`` and ``subarray_centres`` (x + jy in wavelengths) for estimators that take them."""
        x, y = (self.subarray_centres() / self.wavelength).T
        return {"spacing": self.spacing, "subarray_centres": x + 1j * y}

    def element_positions(self):
        """Element positions in m, float64 [S, rows, cols, 2] as (x, y)."""
        step = self.spacing * self.wavelength
        y, x = np.meshgrid(np.arange(self.rows) * step, np.arange(self.cols) * step, indexing="ij")
        return self.subarray_origins()[:, None, None, :] + np.stack([x, y], axis=-1)

    @property
    def aperture(self):
        """Extent (x, y) from the first to the last element in m, float64 [2]."""
        return self.element_positions()[-1, -1, -1]

    def rayleigh_distance(self):
        """Rayleigh distance 2 D^2 / lambda in m, D the diagonal of the whole aperture."""
        corner = self.aperture
        return 2.0 * float(corner @ corner) / self.wavelength

    @property
    def rotation(self):
        """Matrix from the array frame to the world, float64 [3, 3]; its columns are the array's axes."""
        (cy, cp, cr), (sy, sp, sr) = np.cos(self.orientation), np.sin(self.orientation)
        yaw = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
        pitch = np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
        roll = np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])
        return yaw @ pitch @ roll

    def to_world(self, points):
        """Points of the array frame, [..., 3] in m, in the world."""
        return _turned(_points(points), self.rotation) + np.asarray(self.position)

    def to_local(self, points):
        """Points of the world, [..., 3] in m, in the array frame."""
        return _turned(_points(points) - np.asarray(self.position), self.rotation.T)

    def elements_in_world(self):
        """Element positions in the world in m, float64 [S, rows, cols, 3]."""
        flat = self.element_positions()
        return self.to_world(np.concatenate([flat, np.zeros_like(flat[..., :1])], axis=-1))

    def inside(self, points):
        """True where points of the array frame, [..., 3] in m, are within a wavelength of the aperture."""
        x, y, z = np.moveaxis(_points(points), -1, 0)
        margin, (width, height) = self.wavelength, self.aperture
        in_x = (x > -margin) & (x < width + margin)
        return in_x & (y > -margin) & (y < height + margin) & (np.abs(z) < margin)

    def directions_of(self, points):
        """Where points of the world are, seen from the array's origin in the array frame.

        Args:
            points: [..., 3] in m.

        Returns:
            distance in m, elevation from the normal in [0, pi] (above pi/2 is behind the array) and azimuth from
            the x axis in the array plane in [-pi, pi], three float64 [...], as in a
            :class:`~gnuradio.thzum.channel.PathTable`.

        Raises:
            ValueError: a point lies inside the array or is not finite.
        """
        local = self.to_local(points)
        inside = np.argwhere(self.inside(local))
        if len(inside):
            where = tuple(int(i) for i in inside[0])
            raise ValueError(
                f"points: expected points outside the array, got {tuple(local[where])} m in the array frame at "
                f"index {where}; move it at least a wavelength away from the elements"
            )
        # Contiguous: NumPy's arctan2 of strided arrays rounds differently from call to call.
        x, y, z = np.ascontiguousarray(np.moveaxis(local, -1, 0))
        across = np.hypot(x, y)
        return np.hypot(across, z), np.arctan2(across, z), np.arctan2(y, x)

    def placed(self, position, orientation=None):
        """The same array with its origin at ``position`` in the world in m and, if given, another orientation."""
        return replace(self, position=position, orientation=self.orientation if orientation is None else orientation)

    def looking_at(self, target):
        """The same array turned so that its normal points from its origin to ``target`` in the world, [3] in m.

        Columns become horizontal and rows point upwards (to the world's z, as far as the normal allows).
        """
        normal = np.array(_triple("target", target, "(x, y, z) in m")) - self.position
        if not np.any(normal):
            raise ValueError(f"target: expected a point away from the array's position, got {tuple(target)}")
        across = np.hypot(normal[0], normal[1])
        yaw = np.arctan2(normal[1], normal[0]) + 0.5 * np.pi if across > 0 else 0.0
        return replace(self, orientation=(yaw, 0.0, np.arctan2(across, normal[2])))


def _triple(name, value, wanted):
    try:
        triple = tuple(float(v) for v in value)
    except (TypeError, ValueError):
        triple = ()
    if len(triple) != 3 or not np.all(np.isfinite(triple)):
        raise ValueError(f"{name}: expected three finite numbers {wanted}, got {value!r}")
    return triple


def _turned(points, rotation):
    """rotation @ point for points [..., 3]; as plain sums, which do not depend on where arrays lie in memory."""
    return (points[..., None, :] * rotation).sum(-1)


def _points(points):
    points = np.asarray(points, float)
    if points.ndim < 1 or points.shape[-1] != 3:
        raise ValueError(f"points: expected an array [..., 3] in m, got shape {points.shape}")
    if not np.isfinite(points).all():
        raise ValueError("points: expected finite coordinates, got NaN or infinity")
    return points
