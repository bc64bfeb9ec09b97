# SPDX-License-Identifier: GPL-3.0-or-later
"""Hybrid-field multipath channel of an array of subarrays.

Each path is planar over the whole array when its source lies beyond the Rayleigh distance and spherical
otherwise (Yu et al., IEEE JSTSP 2023; Tarboush et al., "TeraMIMO", IEEE TVT 2021).
"""

import numpy as np

from ..array import SPEED_OF_LIGHT, SubarrayArray
from .paths import PathTable
from .reflection import fresnel, roughness_factor
from .response import RESOLUTIONS, response


class HybridFieldChannel:
    """Random channels of one user: a line of sight and ``n_paths - 1`` reflections.

    Args:
        array: the :class:`~gnuradio.thzum.array.SubarrayArray`.
        n_paths: number of paths L, the line of sight included.
        los_distance: distance of the user in m.
        scatterer_distance: (min, max) in m, uniform.
        delay_spread: reflections arrive up to this fraction of the line-of-sight delay later, uniform.
        refractive_index: complex index of the reflecting surfaces (Fresnel, TE).
        surface_roughness: rms height in m (Rayleigh roughness factor).
        resolution: "subarray" where a plane wave inside each subarray is accurate (fast), "element" for arrays
            whose sources are so close that every element needs its own distance; see :func:`response`.
    """

    def __init__(
        self,
        array,
        n_paths,
        los_distance,
        scatterer_distance,
        delay_spread,
        refractive_index,
        surface_roughness,
        resolution="subarray",
    ):
        if not isinstance(array, SubarrayArray):
            raise ValueError(f"array: expected a SubarrayArray, got {type(array).__name__}")
        if int(n_paths) != n_paths or n_paths < 1:
            raise ValueError(f"n_paths: expected an integer of at least 1, got {n_paths!r}")
        low, high = scatterer_distance
        if not (los_distance > 0 and 0 < low <= high):
            raise ValueError(
                "los_distance, scatterer_distance: expected positive metres with min <= max, "
                f"got {los_distance!r}, {scatterer_distance!r}"
            )
        if resolution not in RESOLUTIONS:
            raise ValueError(f"resolution: expected one of {RESOLUTIONS}, got {resolution!r}")
        self.array = array
        self.resolution = resolution
        self.n_paths = int(n_paths)
        self.los_distance = float(los_distance)
        self.scatterer_distance = (float(low), float(high))
        self.delay_spread = float(delay_spread)
        self.refractive_index = complex(refractive_index)
        self.surface_roughness = float(surface_roughness)

    def __repr__(self):
        return (
            f"HybridFieldChannel({self.array.n_subarrays} subarrays of {self.array.rows}x{self.array.cols}, "
            f"{self.array.carrier_frequency / 1e9:g} GHz, {self.n_paths} paths, "
            f"Rayleigh distance {self.array.rayleigh_distance():.1f} m)"
        )

    def reflection_amplitude(self, incidence):
        """|Gamma| at an incidence angle in radians: Fresnel (TE) times the Rayleigh roughness factor."""
        rough = roughness_factor(self.array.carrier_frequency, self.surface_roughness, incidence)
        return np.abs(fresnel(self.refractive_index, incidence)) * rough

    def draw_paths(self, batch, rng):
        """A random :class:`PathTable` of ``batch`` channels; path 0 is the line of sight."""
        shape = (batch, self.n_paths)
        los_delay = self.los_distance / SPEED_OF_LIGHT
        delay = los_delay * (1 + self.delay_spread * rng.random(shape))
        distance = rng.uniform(*self.scatterer_distance, shape)
        amplitude = self.reflection_amplitude(0.5 * np.pi * rng.random(shape))
        delay[:, 0], distance[:, 0], amplitude[:, 0] = los_delay, self.los_distance, 1.0
        near = distance < self.array.rayleigh_distance()
        return PathTable(
            amplitude=amplitude,
            delay=delay,
            distance=distance,
            elevation=np.pi * (rng.random(shape) - 0.5),
            azimuth=2 * np.pi * (rng.random(shape) - 0.5),
            near=near,
            # The published generator counts a near source's distance in its wavefront on top of the delay.
            phase=np.where(near, -2 * np.pi * np.remainder(distance / self.array.wavelength, 1.0), 0.0),
        )

    def response(self, paths, exact=False):
        """Channels of a :class:`PathTable`, complex64 [B, N], each scaled to ||h||^2 = N.

        With ``exact=False`` the model's ``resolution`` holds, see :func:`~gnuradio.thzum.channel.response`.
        ``exact=True`` evaluates every element.
        """
        return response(self.array, paths, resolution="element" if exact else self.resolution)

    def sample(self, batch, seed=0):
        """``batch`` random channels, complex64 [B, N] ordered [subarray][row][column], ||h||^2 = N.

        ``seed`` is an integer or a ``numpy.random.Generator``; the same integer gives the same channels.
        """
        if int(batch) != batch or batch < 1:
            raise ValueError(f"batch: expected an integer of at least 1, got {batch!r}")
        rng = np.random.default_rng(seed)
        return self.response(self.draw_paths(int(batch), rng))
