# SPDX-License-Identifier: GPL-3.0-or-later
"""Steering vectors of arrays of subarrays: planar, spherical and in between, at any frequency."""

import numpy as np

from .geometry import SPEED_OF_LIGHT

#: Wavefronts: plane over the array; plane inside each subarray with exact phase and direction at its centre;
#: exact phase at every element; exact phase and 1/distance amplitude at every element.
WAVEFRONTS = ("planar", "subarray", "spherical", "exact")


def steering_vectors(array, elevation, azimuth, distance=None, wavefront=None, frequency=None):
    """Steering vectors of sources in the array frame, complex128 [..., N], [..., F, N] over F frequencies.

    Entries are exp(j 2 pi f a / c) with the advance a of :func:`advance`, thus 1 at the array's origin (its first
    element) and of unit modulus; for "exact" they are also multiplied by distance / distance from the element.
    The order of the antennas is [subarray][row][column].

    Args:
        array: a :class:`~gnuradio.thzum.array.SubarrayArray`.
        elevation, azimuth: in radians, elevation from the normal, azimuth from x; any shapes that broadcast.
        distance: from the array's origin in m, broadcast likewise; None or infinity is the far field.
        wavefront: one of :data:`WAVEFRONTS`; None is "spherical", or "planar" without a distance.
        frequency: in Hz, a number or an array [F]; None is the carrier.

    Raises:
        ValueError: angles or distances that are not numbers, a distance that is not positive, a source inside the
            array, an unknown wavefront.

    >>> from gnuradio.thzum.array import array_preset
    >>> steering_vectors(array_preset("thz300_aosa4x256"), 0.3, [0.0, 1.0], 5.0).shape
    (2, 1024)
    """
    wavefront = _checked_wavefront(wavefront, distance)
    frequency = _checked_frequency(array, frequency)
    elevation, azimuth, distance = checked_sources(array, elevation, azimuth, distance)
    ahead = _advance(array, elevation, azimuth, distance, wavefront)
    closeness = 1.0 / (1.0 - ahead / distance) if wavefront == "exact" else np.ones(1)
    if frequency.ndim:
        ahead, closeness, frequency = ahead[..., None, :], closeness[..., None, :], frequency[:, None]
    return closeness * np.exp(2j * np.pi * np.remainder(ahead * (frequency / SPEED_OF_LIGHT), 1.0))


def steering_vectors_at(array, points, wavefront="spherical", frequency=None):
    """Steering vectors of sources at ``points`` of the world, [..., 3] in m; see :func:`steering_vectors`."""
    distance, elevation, azimuth = array.directions_of(points)
    return steering_vectors(array, elevation, azimuth, distance, wavefront, frequency)


def advance(array, elevation, azimuth, distance=None, wavefront=None):
    """How much shorter the way from a source to each element is than to the array's origin, in m, float64 [..., N].

    Arguments and errors are those of :func:`steering_vectors`.
    """
    wavefront = _checked_wavefront(wavefront, distance)
    return _advance(array, *checked_sources(array, elevation, azimuth, distance), wavefront)


def advance_at(positions, elevation, azimuth, distance):
    """Like :func:`advance` with exact distances, for any positions (x, y) [n, 2] in the array plane; not checked."""
    x, y = positions[:, 0], positions[:, 1]
    plane = np.sin(elevation) * (np.cos(azimuth) * x + np.sin(azimuth) * y)
    radius = x**2 + y**2
    # d - |d u - p| = (2 d u.p - p^2) / (d + |d u - p|), which keeps its precision at any distance
    ratio = 1.0 - 2.0 * plane / distance + radius / distance**2
    return (2.0 * plane - radius / distance) / (1.0 + np.sqrt(np.maximum(ratio, 0.0)))


def checked_sources(array, elevation, azimuth, distance):
    """The three as float64 [..., 1] of one shape with infinity for no distance; ValueError as documented above."""
    values = dict(elevation=elevation, azimuth=azimuth, distance=np.inf if distance is None else distance)
    for name, value in values.items():
        try:
            values[name] = np.asarray(value, float)
        except (TypeError, ValueError):
            raise ValueError(f"{name}: expected numbers, got {value!r}") from None
    for name in ("elevation", "azimuth"):
        if not np.isfinite(values[name]).all():
            raise ValueError(f"{name}: expected finite angles in radians, got NaN or infinity")
    if not np.all(values["distance"] > 0):
        got = np.min(values["distance"])
        raise ValueError(f"distance: expected positive metres from the array's origin, got {got:g}")
    try:
        elevation, azimuth, distance = np.broadcast_arrays(*values.values())
    except ValueError:
        shapes = ", ".join(str(v.shape) for v in values.values())
        raise ValueError(f"elevation, azimuth, distance: expected shapes that broadcast, got {shapes}") from None
    near = np.isfinite(distance)
    reach = np.where(near, distance, 0.0)[..., None]
    across = np.sin(elevation)
    unit = np.stack([across * np.cos(azimuth), across * np.sin(azimuth), np.cos(elevation)], axis=-1)
    inside = np.argwhere(near & array.inside(reach * unit))
    if len(inside):
        where = tuple(int(i) for i in inside[0])
        raise ValueError(
            f"distance: expected sources outside the array, got {distance[where]:g} m at index {where}, which lies "
            "within a wavelength of its elements"
        )
    return elevation[..., None], azimuth[..., None], distance[..., None]


def _advance(array, elevation, azimuth, distance, wavefront):
    elements = array.element_positions().reshape(-1, 2)
    if wavefront in ("spherical", "exact"):
        return advance_at(elements, elevation, azimuth, distance)
    if wavefront == "planar":
        return advance_at(elements, elevation, azimuth, np.inf)
    centres = array.subarray_centres()
    per_subarray = array.rows * array.cols
    at_centre = advance_at(centres, elevation, azimuth, distance)
    # direction of the source from each centre: (u - p / d) / |u - p / d|
    across = np.sin(elevation)
    ux, uy = across * np.cos(azimuth) - centres[:, 0] / distance, across * np.sin(azimuth) - centres[:, 1] / distance
    length = np.sqrt(ux**2 + uy**2 + np.cos(elevation) ** 2)
    offsets = elements[:per_subarray] - centres[0]
    ux, uy = (ux / length)[..., None], (uy / length)[..., None]
    inside = ux * offsets[:, 0] + uy * offsets[:, 1]
    return (at_centre[..., None] + inside).reshape(*inside.shape[:-2], array.n_antennas)


def _checked_wavefront(wavefront, distance):
    if wavefront is None:
        return "planar" if distance is None else "spherical"
    if wavefront not in WAVEFRONTS:
        raise ValueError(f"wavefront: expected one of {WAVEFRONTS}, got {wavefront!r}")
    if distance is None and wavefront != "planar":
        raise ValueError(f'wavefront: "{wavefront}" needs a distance in m; give one, or ask for "planar"')
    return wavefront


def _checked_frequency(array, frequency):
    frequency = np.asarray(array.carrier_frequency if frequency is None else frequency, float)
    if frequency.ndim > 1 or not (np.isfinite(frequency).all() and np.all(frequency > 0)):
        raise ValueError(f"frequency: expected positive Hz, a number or an array [F], got {frequency}")
    return frequency
