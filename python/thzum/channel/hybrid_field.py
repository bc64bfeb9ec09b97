# SPDX-License-Identifier: GPL-3.0-or-later
"""Hybrid-field multipath channel of an array of subarrays.

Each path is planar over the whole array when its source lies beyond the Rayleigh distance and spherical
otherwise (Yu et al., IEEE JSTSP 2023; Tarboush et al., "TeraMIMO", IEEE TVT 2021).
"""

from dataclasses import dataclass

import numpy as np

from ..array import SPEED_OF_LIGHT, SubarrayArray


@dataclass
class PathTable:
    """Paths of a batch of channels; every field is float64 [B, L], ``near`` is bool [B, L].

    Attributes:
        amplitude: path amplitude relative to the line of sight.
        delay: propagation delay in s.
        distance: distance of the path's last source (user or scatterer) from the array origin in m.
        elevation, azimuth: direction in radians; elevation is measured from the array normal.
        near: True where the wavefront is spherical over the array.
    """

    amplitude: np.ndarray
    delay: np.ndarray
    distance: np.ndarray
    elevation: np.ndarray
    azimuth: np.ndarray
    near: np.ndarray

    def direction_cosines(self):
        """Direction cosines along x and y, two float64 [B, L] in [-1, 1]."""
        sin_el = np.sin(self.elevation)
        return sin_el * np.cos(self.azimuth), sin_el * np.sin(self.azimuth)


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
    """

    def __init__(
        self, array, n_paths, los_distance, scatterer_distance, delay_spread, refractive_index, surface_roughness
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
        self.array = array
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
        cos_i = np.cos(incidence)
        cos_t = np.cos(np.arcsin(np.sin(incidence) / self.refractive_index))
        fresnel = (cos_i - self.refractive_index * cos_t) / (cos_i + self.refractive_index * cos_t)
        height = 2 * np.pi * self.array.carrier_frequency * self.surface_roughness / SPEED_OF_LIGHT
        return np.abs(fresnel) * np.exp(-2 * (height * cos_i) ** 2)

    def draw_paths(self, batch, rng):
        """A random :class:`PathTable` of ``batch`` channels; path 0 is the line of sight."""
        shape = (batch, self.n_paths)
        los_delay = self.los_distance / SPEED_OF_LIGHT
        delay = los_delay * (1 + self.delay_spread * rng.random(shape))
        distance = rng.uniform(*self.scatterer_distance, shape)
        amplitude = self.reflection_amplitude(0.5 * np.pi * rng.random(shape))
        delay[:, 0], distance[:, 0], amplitude[:, 0] = los_delay, self.los_distance, 1.0
        return PathTable(
            amplitude=amplitude,
            delay=delay,
            distance=distance,
            elevation=np.pi * (rng.random(shape) - 0.5),
            azimuth=2 * np.pi * (rng.random(shape) - 0.5),
            near=distance < self.array.rayleigh_distance(),
        )

    def response(self, paths, exact=False):
        """Channels of a :class:`PathTable`, complex64 [B, N], each scaled to ||h||^2 = N.

        With ``exact=False`` every path is a plane wave inside a subarray (its direction and phase are
        exact at the subarray's centre): a subarray of the presets spans a few wavelengths, and what is
        neglected stays below 1e-3 rad at 10 m. ``exact=True`` evaluates every element in float64.
        """
        h = self._exact(paths) if exact else self._plane_wave_per_subarray(paths)
        n = self.array.n_antennas
        h = h.reshape(len(h), n)
        return (h * (np.sqrt(n) / np.linalg.norm(h, axis=1, keepdims=True))).astype(np.complex64)

    def sample(self, batch, seed=0):
        """``batch`` random channels, complex64 [B, N] ordered [subarray][row][column], ||h||^2 = N.

        ``seed`` is an integer or a ``numpy.random.Generator``; the same integer gives the same channels.
        """
        if int(batch) != batch or batch < 1:
            raise ValueError(f"batch: expected an integer of at least 1, got {batch!r}")
        rng = np.random.default_rng(seed)
        return self.response(self.draw_paths(int(batch), rng))

    def _path_gain(self, paths):
        cycles = self.array.carrier_frequency * paths.delay
        return paths.amplitude * np.exp(-2j * np.pi * np.remainder(cycles, 1.0))

    def _source_positions(self, paths):
        ux, uy = paths.direction_cosines()
        return paths.distance * ux, paths.distance * uy, paths.distance * np.cos(paths.elevation)

    def _exact(self, paths):
        wavelength = self.array.wavelength
        position = self.array.element_positions().reshape(-1, 2)
        ux, uy = paths.direction_cosines()
        x, y, z = self._source_positions(paths)
        gain = self._path_gain(paths)
        h = np.zeros((len(gain), len(position)), complex)
        for k in range(gain.shape[1]):
            planar = ux[:, k, None] * position[:, 0] + uy[:, k, None] * position[:, 1]
            dx, dy = x[:, k, None] - position[:, 0], y[:, k, None] - position[:, 1]
            spherical = -np.sqrt(dx**2 + dy**2 + z[:, k, None] ** 2)
            advance = np.where(paths.near[:, k, None], spherical, planar)
            h += gain[:, k, None] * np.exp(2j * np.pi * np.remainder(advance / wavelength, 1.0))
        return h

    def _plane_wave_per_subarray(self, paths):
        array, wavelength = self.array, self.array.wavelength
        centre = array.subarray_centres()
        ux, uy = (u[..., None] for u in paths.direction_cosines())
        x, y, z = (p[..., None] for p in self._source_positions(paths))
        near = paths.near[..., None]
        dx, dy = x - centre[:, 0], y - centre[:, 1]
        distance = np.sqrt(dx**2 + dy**2 + z**2)
        advance = np.where(near, -distance, ux * centre[:, 0] + uy * centre[:, 1])
        gain = self._path_gain(paths)[..., None] * np.exp(2j * np.pi * np.remainder(advance / wavelength, 1.0))
        phase_x = 2j * np.pi * array.spacing * np.where(near, dx / distance, ux)
        phase_y = 2j * np.pi * array.spacing * np.where(near, dy / distance, uy)
        along_x = np.exp(phase_x[..., None] * (np.arange(array.cols) - 0.5 * (array.cols - 1)))
        along_y = np.exp(phase_y[..., None] * (np.arange(array.rows) - 0.5 * (array.rows - 1)))
        weighted = (gain[..., None] * along_y).transpose(0, 2, 3, 1)
        return weighted @ along_x.transpose(0, 2, 1, 3)
