# SPDX-License-Identifier: GPL-3.0-or-later
"""Path tables: what every channel model draws and everything else evaluates, saves and plots."""

from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np


class PathKind(IntEnum):
    """Where a path comes from."""

    LINE_OF_SIGHT = 0
    REFLECTED = 1
    CLUSTERED = 2
    DIFFUSE = 3


@dataclass
class PathTable:
    """Paths of a batch of channels; every field has the shape [..., L], usually [B, L] or [B, users, L].

    The complex gain of a path at frequency f and time t is amplitude * exp(j (phase - 2 pi f delay +
    2 pi doppler t f / carrier_frequency)). Channels with fewer than L paths have some of amplitude zero.

    Attributes:
        amplitude: float64, of the path at the array origin.
        delay: float64, propagation delay to the array origin in s.
        distance: float64, of the path's last source (user or scatterer) from the array origin in m.
        elevation, azimuth: float64, direction of that source from the array in radians; elevation is measured
            from the array normal, azimuth from the x axis in the array plane.
        near: bool, True where the wavefront is spherical over the array.
        phase: float64, phase on top of the delay's in radians; default zero.
        doppler: float64, Doppler shift at the carrier in Hz; default zero.
        kind: int8, a :class:`PathKind`; by default path 0 is the line of sight and the others are reflected.
        visible: bool [..., L, S], the subarrays that see the path; None is all of them.
    """

    amplitude: np.ndarray
    delay: np.ndarray
    distance: np.ndarray
    elevation: np.ndarray
    azimuth: np.ndarray
    near: np.ndarray
    phase: np.ndarray | None = None
    doppler: np.ndarray | None = None
    kind: np.ndarray | None = None
    visible: np.ndarray | None = None

    def __post_init__(self):
        shape = np.shape(self.amplitude)
        if not shape:
            raise ValueError("amplitude: expected an array [..., paths], got a scalar")
        if self.phase is None:
            self.phase = np.zeros(shape)
        if self.doppler is None:
            self.doppler = np.zeros(shape)
        if self.kind is None:
            self.kind = np.full(shape, PathKind.REFLECTED, np.int8)
            self.kind[..., 0] = PathKind.LINE_OF_SIGHT
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "visible":
                if value is not None and np.shape(value)[:-1] != shape:
                    raise ValueError(f"visible: expected shape {shape} + (subarrays,), got {np.shape(value)}")
            elif np.shape(value) != shape:
                raise ValueError(f"{field.name}: expected the shape {shape} of amplitude, got {np.shape(value)}")

    @property
    def shape(self):
        """The shape [..., L]."""
        return self.amplitude.shape

    def direction_cosines(self):
        """Direction cosines along x and y, two float64 [..., L] in [-1, 1]."""
        sin_el = np.sin(self.elevation)
        return sin_el * np.cos(self.azimuth), sin_el * np.sin(self.azimuth)

    def source_positions(self):
        """Positions of the last sources in the array's frame in m, float64 [..., L, 3]."""
        ux, uy = self.direction_cosines()
        return self.distance[..., None] * np.stack([ux, uy, np.cos(self.elevation)], axis=-1)

    def __getitem__(self, index):
        """The table of some of the channels: ``index`` applies to the leading axes."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return PathTable(**{name: None if value is None else value[index] for name, value in values.items()})
