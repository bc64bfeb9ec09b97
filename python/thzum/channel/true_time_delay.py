# SPDX-License-Identifier: GPL-3.0-or-later
"""Analogue combiners of phase shifters behind true-time-delay lines, which keep a beam in place over a wide band."""

from dataclasses import dataclass

import numpy as np

from ..array import SPEED_OF_LIGHT, SubarrayArray
from ..array.steering import advance_at, checked_sources
from .hardware import PhaseShifter
from .hardware.checks import integer, real


@dataclass
class TtdFrontEnd:
    """Phase shifters at the elements, and delay lines each shared by a rectangular group of elements.

    For a source whose distance is d_n from element n and d_g from the centre of group g, the line of the group has
    the delay (max_g d_g - d_g) / c and the phase shifter the phase 2 pi f_c (d_n - d_g) / c, such that all
    elements add in phase at the carrier, and all group centres at every frequency. Where delays are rounded, the
    phase shifters take up the carrier phase that this shifts.

    Attributes:
        array: the :class:`~gnuradio.thzum.array.SubarrayArray`.
        groups: (rows, cols) of the delay lines in each subarray, which divide its rows and cols; None is without
            delay lines: phase shifters alone, which are right at the carrier only (beam squint).
        delay_step: resolution of the delays in s; None is ideal.
        max_delay: longest delay of a line in s; None is unlimited.
        phase_shifter: a :class:`~gnuradio.thzum.channel.hardware.PhaseShifter` (bits, element errors); None is ideal.
    """

    array: SubarrayArray
    groups: tuple | None = (1, 1)
    delay_step: float | None = None
    max_delay: float | None = None
    phase_shifter: PhaseShifter | None = None

    def __post_init__(self):
        if not isinstance(self.array, SubarrayArray):
            raise ValueError(f"array: expected a SubarrayArray, got {type(self.array).__name__}")
        if self.groups is not None:
            self.groups = self._checked_groups(self.groups)
        for name in ("delay_step", "max_delay"):
            if getattr(self, name) is not None:
                setattr(self, name, real(name, getattr(self, name), above=0))
        if not (self.phase_shifter is None or isinstance(self.phase_shifter, PhaseShifter)):
            raise ValueError(f"phase_shifter: expected a PhaseShifter or None, got {self.phase_shifter!r}")

    def _checked_groups(self, groups):
        size = (self.array.rows, self.array.cols)
        try:
            rows, cols = (integer("groups", g, 1) for g in groups)
        except (TypeError, ValueError):
            raise ValueError(f"groups: expected two integers (rows, cols) of at least 1, got {groups!r}") from None
        if size[0] % rows or size[1] % cols:
            raise ValueError(f"groups: expected divisors of the subarray's {size[0]} x {size[1]}, got {groups!r}")
        return rows, cols

    @property
    def n_delays(self):
        """Delay lines of the whole array; 0 without any."""
        return 0 if self.groups is None else self.array.n_subarrays * self.groups[0] * self.groups[1]

    def element_groups(self):
        """Number of the delay line of each element within its subarray, int [rows * cols]."""
        (rows, cols), (down, right) = (self.array.rows, self.array.cols), self.groups or (1, 1)
        row, col = np.arange(rows) * down // rows, np.arange(cols) * right // cols
        return (row[:, None] * right + col).ravel()

    def group_centres(self):
        """Centres of the elements behind each delay line in m, float64 [S, G, 2] as (x, y)."""
        elements = self.array.element_positions().reshape(self.array.n_subarrays, -1, 2)
        of = self.element_groups()
        return np.stack([elements[:, of == g].mean(axis=1) for g in range(of.max() + 1)], axis=1)

    def focus(self, elevation, azimuth, distance=None):
        """The :class:`TtdSetting` for a source in the array frame: angles in radians, distance in m or None for far.

        Raises:
            ValueError: a source that is not outside the array, a delay beyond ``max_delay``.
        """
        source = checked_sources(self.array, elevation, azimuth, distance)
        if source[0].shape != (1,):
            raise ValueError(f"elevation, azimuth, distance: expected one source, got shape {source[0].shape[:-1]}")
        shape = (self.array.n_subarrays, -1)
        nearer = advance_at(self.array.element_positions().reshape(-1, 2), *source).reshape(shape)
        delay = self._delays(advance_at(self.group_centres().reshape(-1, 2), *source).reshape(shape))
        group = self.element_groups()
        cycles = self.array.carrier_frequency * (delay[:, group] - nearer / SPEED_OF_LIGHT)
        phasor = np.exp(2j * np.pi * np.remainder(cycles, 1.0))
        if self.phase_shifter is not None:
            phasor = self.phase_shifter(phasor[:, None, :])[:, 0]
        return TtdSetting(delay=delay, group=group, phasor=phasor)

    def _delays(self, nearer):
        if self.groups is None:
            return np.zeros_like(nearer)
        delay = (nearer - nearer.min()) / SPEED_OF_LIGHT
        if self.delay_step is not None:
            delay = self.delay_step * np.round(delay / self.delay_step)
        if self.max_delay is not None and delay.max() > self.max_delay:
            raise ValueError(
                f"max_delay: expected at least {delay.max():.4g} s for this direction, got {self.max_delay:.4g} s"
            )
        return delay


@dataclass
class TtdSetting:
    """Delays and phases of a front end that is pointed at a source.

    Attributes:
        delay: float64 [S, G] in s, not negative.
        group: int [n], the delay line of each element of a subarray.
        phasor: complex128 [S, n], exp(j phase) of the phase shifters, times their element errors.
    """

    delay: np.ndarray
    group: np.ndarray
    phasor: np.ndarray

    def combiner(self, frequency):
        """Weights at frequencies in Hz, complex128 [S, n] for a number and [F, S, n] for an array [F].

        They are applied without conjugation, y[s] = w[s] . h[s], and have unit norm per subarray.
        """
        frequency = np.asarray(frequency, float)
        cycles = np.remainder(frequency[..., None, None] * self.delay[:, self.group], 1.0)
        weights = self.phasor * np.exp(-2j * np.pi * cycles)
        return weights / np.linalg.norm(self.phasor, axis=-1, keepdims=True)
