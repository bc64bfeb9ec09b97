# SPDX-License-Identifier: GPL-3.0-or-later
"""From a path table to the response of every antenna, at one frequency or over a band (with beam squint)."""

from dataclasses import dataclass

import numpy as np

from ..array import SPEED_OF_LIGHT

WAVEFRONTS = ("auto", "planar", "spherical")
RESOLUTIONS = ("subarray", "element")


@dataclass
class SubarrayWaves:
    """Every path inside each subarray as a product of a factor along y and one along x.

    h[s, r, c] = sum_l gain[l, s] y[l, s, r] x[l, s, c] (1 + j twist[l, s] r' c'), with r', c' counted from the middle
    of the subarray. The factors hold the direction and the curvature of the wavefront; the part of the curvature
    that mixes x and y enters by its first order.

    Attributes:
        gain: complex128 [..., L, S], at the centre of the subarray.
        along_y: complex128 [..., L, S, rows].
        along_x: complex128 [..., L, S, cols].
        twist: float64 [..., L, S], zero for plane waves.
    """

    gain: np.ndarray
    along_y: np.ndarray
    along_x: np.ndarray
    twist: np.ndarray

    def sum(self):
        """Response of all antennas, complex128 [..., S, rows, cols]."""
        flat = _summed(self.gain, self.along_y, self.along_x)
        if not self.twist.any():
            return flat
        rows, cols = (_centred(along.shape[-1]) for along in (self.along_y, self.along_x))
        return flat + _summed(1j * self.twist * self.gain, self.along_y * rows, self.along_x * cols)

    def per_path(self):
        """Response of all antennas to each path, complex128 [..., L, S, rows, cols]."""
        rows, cols = (_centred(along.shape[-1]) for along in (self.along_y, self.along_x))
        flat = self.gain[..., None, None] * self.along_y[..., :, None] * self.along_x[..., None, :]
        return flat * (1 + 1j * self.twist[..., None, None] * rows[:, None] * cols)

    def combined(self, combiner):
        """Response of each path behind combiners [E, S, rows * cols], complex128 [..., L, S, E]."""
        n_entries, n_subarrays, _ = np.shape(combiner)
        weights = np.reshape(combiner, (n_entries, n_subarrays, self.along_y.shape[-1], self.along_x.shape[-1]))
        rows, cols = (_centred(along.shape[-1]) for along in (self.along_y, self.along_x))
        bent = weights * rows[:, None] * cols
        seen, twisted = (
            np.einsum("esrc,...lsr,...lsc->...lse", w, self.along_y, self.along_x) for w in (weights, bent)
        )
        return self.gain[..., None] * (seen + 1j * self.twist[..., None] * twisted)


def _summed(gain, along_y, along_x):
    return np.moveaxis(gain[..., None] * along_y, -3, -1) @ np.moveaxis(along_x, -3, -2)


def path_gain(array, paths, frequency=None, time=0.0):
    """Complex gain of each path at the array origin, complex128 [..., L].

    Args:
        array: the :class:`~gnuradio.thzum.array.SubarrayArray`, for its carrier.
        paths: a :class:`PathTable`.
        frequency: in Hz; None is the carrier.
        time: in s, for the Doppler shifts.
    """
    carrier = array.carrier_frequency
    frequency = carrier if frequency is None else frequency
    cycles = paths.doppler * (frequency / carrier) * time - frequency * paths.delay
    return paths.amplitude * np.exp(1j * (2 * np.pi * np.remainder(cycles, 1.0) + paths.phase))


@dataclass
class SubarrayRays:
    """Geometry of every path at the subarrays' centres, the same at all frequencies; float64 [..., L, S].

    Attributes:
        advance: how much shorter the way to the centre is than to the array's origin, in m.
        uy, ux: direction cosines of the source, seen from the centre.
        curvature: inverse distance of the source from the centre in 1/m, zero for a plane wave.
    """

    advance: np.ndarray
    uy: np.ndarray
    ux: np.ndarray
    curvature: np.ndarray

    def waves(self, array, paths, frequency, time=0.0):
        """The :class:`SubarrayWaves` at a frequency in Hz."""
        gain = path_gain(array, paths, frequency, time)[..., None]
        gain = gain * np.exp(2j * np.pi * np.remainder(self.advance * (frequency / SPEED_OF_LIGHT), 1.0))
        if paths.visible is not None:
            gain = gain * paths.visible
        step = 2 * np.pi * array.spacing * (frequency / array.carrier_frequency)
        # Second order of the distance to an element, from the centre: ((x^2 + y^2) - (ux x + uy y)^2) / (2 d).
        bend = 0.5 * step * array.spacing * array.wavelength * self.curvature
        return SubarrayWaves(
            gain=gain,
            along_y=_bent_wave(step * self.uy, bend * (1 - self.uy**2), array.rows),
            along_x=_bent_wave(step * self.ux, bend * (1 - self.ux**2), array.cols),
            twist=2 * bend * self.ux * self.uy,
        )


def _bent_wave(step, bend, count):
    """exp(j (step m - bend m^2)) over ``count`` elements m counted from their middle, complex128 [..., count]."""
    place = _centred(count)
    phase = step[..., None] * place
    if bend.any():
        phase = phase - bend[..., None] * place**2
    return np.exp(1j * phase)


def subarray_rays(array, paths, wavefront="auto"):
    """The :class:`SubarrayRays` of a path table; arguments and errors as of :func:`response`."""
    _checked(array, paths, wavefront)
    centre = array.subarray_centres()
    near = _spherical(paths, wavefront)[..., None]
    ux, uy = (u[..., None] for u in paths.direction_cosines())
    dx, dy, dz = np.moveaxis(paths.source_positions(), -1, 0)[..., None] + 0 * near
    dx, dy = dx - centre[:, 0], dy - centre[:, 1]
    distance = np.sqrt(dx**2 + dy**2 + dz**2)
    return SubarrayRays(
        advance=np.where(near, paths.distance[..., None] - distance, ux * centre[:, 0] + uy * centre[:, 1]),
        uy=np.where(near, dy / distance, uy),
        ux=np.where(near, dx / distance, ux),
        curvature=np.where(near, 1 / distance, 0.0),
    )


def subarray_waves(array, paths, frequency=None, time=0.0, wavefront="auto"):
    """The :class:`SubarrayWaves` of a path table; arguments as of :func:`response`.

    A spherical wave has its exact phase, direction and curvature at the centre of each subarray. What is neglected
    is of the third order in the size of a subarray over its distance from the source.
    """
    frequency = _frequency(array, frequency)
    return subarray_rays(array, paths, wavefront).waves(array, paths, frequency, time)


def response(
    array, paths, frequency=None, time=0.0, wavefront="auto", resolution="subarray", normalise=True,
    dtype=np.complex64,
):
    """Channels of a path table, [..., N] at one frequency and [..., F, N] over F frequencies.

    Antennas are ordered [subarray][row][column]. The direction of a path is one in space: away from the carrier
    its phase from element to element grows with frequency (beam squint) and its phase turns with its delay.

    Args:
        array: the :class:`~gnuradio.thzum.array.SubarrayArray`.
        paths: a :class:`PathTable` of shape [..., L].
        frequency: in Hz, a number or an array [F]; None is the carrier.
        time: in s, for the Doppler shifts.
        wavefront: "auto" as the table says for each path, or "planar" or "spherical" for all of them.
        resolution: "subarray" for separable waves inside each subarray (fast), "element" for the exact phase
            at every element.
        normalise: True scales each channel to ||h||^2 = N, on average over its frequencies.
        dtype: complex64 or complex128.

    Raises:
        ValueError: an unknown option, a frequency that is not positive, a source that is inside the array.
    """
    if resolution not in RESOLUTIONS:
        raise ValueError(f"resolution: expected one of {RESOLUTIONS}, got {resolution!r}")
    several = np.ndim(frequency) == 1
    if np.ndim(frequency) > 1 or (several and not len(frequency)):
        raise ValueError(f"frequency: expected a number or an array [F], got shape {np.shape(frequency)}")
    frequencies = [_frequency(array, f) for f in (frequency if several else [frequency])]
    evaluate = _by_element if resolution == "element" else _by_subarray
    h = np.stack(list(evaluate(array, paths, frequencies, time, wavefront)), axis=-2)
    if normalise:
        power = np.mean(np.linalg.norm(h, axis=-1, keepdims=True) ** 2, axis=-2, keepdims=True)
        h = h * np.sqrt(array.n_antennas / np.where(power > 0, power, 1.0))
    h = h.astype(dtype)
    return h if several else h[..., 0, :]


def _by_subarray(array, paths, frequencies, time, wavefront):
    rays = subarray_rays(array, paths, wavefront)
    for frequency in frequencies:
        h = rays.waves(array, paths, frequency, time).sum()
        yield h.reshape(*h.shape[:-3], array.n_antennas)


def _by_element(array, paths, frequencies, time, wavefront):
    _checked(array, paths, wavefront)
    position = array.element_positions().reshape(-1, 2)
    ux, uy = paths.direction_cosines()
    source, near = paths.source_positions(), _spherical(paths, wavefront)
    for frequency in frequencies:
        gain = path_gain(array, paths, frequency, time)
        h = np.zeros((*paths.shape[:-1], len(position)), complex)
        for k in range(paths.shape[-1]):
            planar = ux[..., k, None] * position[:, 0] + uy[..., k, None] * position[:, 1]
            dx, dy = (source[..., k, axis, None] - position[:, axis] for axis in (0, 1))
            spherical = paths.distance[..., k, None] - np.sqrt(dx**2 + dy**2 + source[..., k, 2, None] ** 2)
            advance = np.where(near[..., k, None], spherical, planar)
            wave = gain[..., k, None] * np.exp(2j * np.pi * np.remainder(advance * (frequency / SPEED_OF_LIGHT), 1.0))
            h += wave if paths.visible is None else wave * _per_element(array, paths.visible[..., k, :])
        yield h


def _per_element(array, per_subarray):
    return np.repeat(per_subarray, array.rows * array.cols, axis=-1)


def _centred(count):
    return np.arange(count) - 0.5 * (count - 1)


def _spherical(paths, wavefront):
    return paths.near if wavefront == "auto" else np.full(paths.shape, wavefront == "spherical")


def _checked(array, paths, wavefront):
    """Raise ValueError where an argument is wrong."""
    if wavefront not in WAVEFRONTS:
        raise ValueError(f"wavefront: expected one of {WAVEFRONTS}, got {wavefront!r}")
    if paths.visible is not None and paths.visible.shape[-1] != array.n_subarrays:
        raise ValueError(f"visible: expected {array.n_subarrays} subarrays, got {paths.visible.shape[-1]}")
    check_sources(array, paths)


def _frequency(array, frequency):
    frequency = array.carrier_frequency if frequency is None else float(frequency)
    if not (np.isfinite(frequency) and frequency > 0):
        raise ValueError(f"frequency: expected a positive number of Hz, got {frequency!r}")
    return frequency


def check_sources(array, paths):
    """Raise ValueError where a source has no positive distance or sits inside the array's aperture."""
    if not (np.all(np.isfinite(paths.distance)) and np.all(paths.distance > 0)):
        worst = np.min(np.where(np.isfinite(paths.distance), paths.distance, -np.inf))
        raise ValueError(f"distance: expected positive metres from the array origin, got {worst:g}")
    for name in ("elevation", "azimuth"):
        if not np.isfinite(getattr(paths, name)).all():
            raise ValueError(f"{name}: expected finite angles in radians, got NaN or infinity")
    inside = array.inside(paths.source_positions()) & (paths.amplitude > 0)
    if np.any(inside):
        where = tuple(int(i) for i in np.argwhere(inside)[0])
        raise ValueError(
            f"distance: the source of path {where} lies inside the array, "
            f"{paths.distance[where]:g} m from its origin; "
            "move it at least a wavelength away from the elements"
        )
