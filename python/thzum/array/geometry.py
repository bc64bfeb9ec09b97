# SPDX-License-Identifier: GPL-3.0-or-later
"""Array of subarrays (AoSA): element positions and Rayleigh distance."""

from dataclasses import dataclass

import numpy as np

#: Speed of light in m/s, rounded as in the published benchmark generator, so that presets agree with it.
SPEED_OF_LIGHT = 3e8


@dataclass(frozen=True)
class SubarrayArray:
    """Planar array of ``sub_rows x sub_cols`` subarrays of ``rows x cols`` elements in the x-y plane.

    The origin is the first element of the first subarray. Subarrays are numbered row-major; a channel
    vector is ordered [subarray][row (y)][column (x)].

    Attributes:
        sub_rows, sub_cols: subarrays along y and x.
        rows, cols: elements of one subarray along y and x.
        carrier_frequency: in Hz.
        spacing: element spacing in wavelengths.
        gap: distance between the facing edges of neighbouring subarrays, in wavelengths.
    """

    sub_rows: int
    sub_cols: int
    rows: int
    cols: int
    carrier_frequency: float
    spacing: float
    gap: float

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

    def element_positions(self):
        """Element positions in m, float64 [S, rows, cols, 2] as (x, y)."""
        step = self.spacing * self.wavelength
        y, x = np.meshgrid(np.arange(self.rows) * step, np.arange(self.cols) * step, indexing="ij")
        return self.subarray_origins()[:, None, None, :] + np.stack([x, y], axis=-1)

    def rayleigh_distance(self):
        """Rayleigh distance 2 D^2 / lambda in m, D the diagonal of the whole aperture."""
        corner = self.element_positions()[-1, -1, -1]
        return 2.0 * float(corner @ corner) / self.wavelength
