# SPDX-License-Identifier: GPL-3.0-or-later
"""Beam squint: how much of an array's gain a front end keeps away from the carrier."""

from dataclasses import dataclass

import numpy as np

from ..array import array_preset, steering_vectors
from .hardware.checks import integer, real
from .true_time_delay import TtdFrontEnd
from .wideband import checked_band, combiner_at

#: Delay lines per subarray, (rows, cols), of the rows of :func:`squint_table`: 0, 4, 16 and 64 of the array.
TABLE_GROUPS = {
    "thz300_aosa4x256": (None, (1, 1), (2, 2), (4, 4)),
    "thz300_panel1024": (None, (2, 2), (4, 4), (8, 8)),
}


def array_gain(array, combiner, frequencies, elevation, azimuth, distance=None):
    """Power gain towards a source relative to the full gain of the array, float64 [F] in [0, 1].

    |sum_n w_n a_n|^2 / (||w||^2 ||a||^2) with the combiner w of all subarrays together and the steering vector a,
    which is spherical for a finite distance.

    Args:
        array: the :class:`~gnuradio.thzum.array.SubarrayArray`.
        combiner: complex [S, n], or [F, S, n], or an object with a method ``combiner(frequencies)``, such as a
            :class:`TtdSetting`.
        frequencies: [F] in Hz; at most as wide as the carrier.
        elevation, azimuth: of the source in radians.
        distance: from the array's origin in m; None is the far field.
    """
    frequencies = checked_band(array, frequencies)
    weights = combiner_at(array, combiner, frequencies).reshape(len(frequencies), -1)
    waves = steering_vectors(array, elevation, azimuth, distance, frequency=frequencies)
    total = np.sum(np.abs(weights) ** 2, axis=1) * np.sum(np.abs(waves) ** 2, axis=1)
    return np.abs(np.sum(weights * waves, axis=1)) ** 2 / total


@dataclass(frozen=True)
class SquintRow:
    """A row of the squint table: gains relative to the full gain, as powers.

    Attributes:
        array: name of the array preset.
        n_delays: delay lines of the whole array.
        edge: gain at the upper edge of the band.
        mean: mean gain over the frequencies.
    """

    array: str
    n_delays: int
    edge: float
    mean: float


def source_before(array, distance, horizontal, vertical):
    """Elevation, azimuth and distance from the array's origin of a source before the array's centre.

    Args:
        array: the :class:`~gnuradio.thzum.array.SubarrayArray`.
        distance: from the centre in m.
        horizontal, vertical: angles off the normal towards x, then off the x-z plane towards y, in radians.
    """
    distance = real("distance", distance, above=0)
    across = np.cos(vertical)
    direction = np.array([across * np.sin(horizontal), np.sin(vertical), across * np.cos(horizontal)])
    x, y, z = np.append(0.5 * array.aperture, 0.0) + distance * direction
    return np.arctan2(np.hypot(x, y), z), np.arctan2(y, x), np.sqrt(x**2 + y**2 + z**2)


def gain_over_band(front_end, frequencies, elevation, azimuth, distance=None):
    """Gain of a front end that is focused on a source, towards that source, float64 [F]; see :func:`array_gain`."""
    setting = front_end.focus(elevation, azimuth, distance)
    return array_gain(front_end.array, setting, frequencies, elevation, azimuth, distance)


def squint_table(
    bandwidth=30e9, distance=5.0, horizontal=np.pi / 4, vertical=0.2, n_frequencies=41, groups=None, **front_end
):
    """Gain at the band's edge and over the band with and without delay lines, a list of :class:`SquintRow`.

    The defaults are a user at 5 m from the centre of the array, 45 degrees to the side and 0.2 rad above it, and
    a band of 30 GHz that is sampled at 41 equidistant frequencies, both edges included.

    Args:
        bandwidth: in Hz.
        distance, horizontal, vertical: of the user, see :func:`source_before`.
        n_frequencies: at least 2.
        groups: {name of an array preset: delay lines per subarray as (rows, cols) or None, …}; by default
            :data:`TABLE_GROUPS`.
        front_end: further fields of :class:`TtdFrontEnd`, such as delay_step or phase_shifter.
    """
    bandwidth, count = real("bandwidth", bandwidth, above=0), integer("n_frequencies", n_frequencies, 2)
    rows = []
    for name, choices in (TABLE_GROUPS if groups is None else groups).items():
        array = array_preset(name)
        source = source_before(array, distance, horizontal, vertical)
        frequencies = array.carrier_frequency + bandwidth * np.linspace(-0.5, 0.5, count)
        for choice in choices:
            front = TtdFrontEnd(array, choice, **front_end)
            gain = gain_over_band(front, frequencies, *source)
            rows.append(SquintRow(name, front.n_delays, float(gain[-1]), float(gain.mean())))
    return rows
