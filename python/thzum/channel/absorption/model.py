# SPDX-License-Identifier: GPL-3.0-or-later
"""What every absorption model shares: the range where it holds, and its two units."""

from abc import ABC, abstractmethod

import numpy as np

from .atmosphere import Atmosphere

# dB/km of a power absorption coefficient of 1/m.
DB_PER_KM = 1e4 * np.log10(np.e)


class AbsorptionModel(ABC):
    """A model of the absorption coefficient; subclasses implement ``_coefficient``.

    Attributes:
        name: what :func:`absorption_model` calls it.
        frequency_range: (lowest, highest) frequency in Hz at which it holds.
        beyond: what to do outside that range, said in the error.
    """

    name = ""
    frequency_range = (0.0, np.inf)
    beyond = ""

    def coefficient(self, frequency, atmosphere=Atmosphere()):
        """Power absorption coefficient k in 1/m: power decays as exp(-k d). Same shape as ``frequency``.

        Args:
            frequency: in Hz, a number or an array.
            atmosphere: the :class:`~gnuradio.thzum.channel.Atmosphere`.

        Raises ValueError where the model does not hold.
        """
        frequency = self._checked_frequency(frequency)
        if not isinstance(atmosphere, Atmosphere):
            raise ValueError(f"atmosphere: expected an Atmosphere, got {type(atmosphere).__name__}")
        self._check_atmosphere(atmosphere)
        return self._coefficient(frequency, atmosphere)[()]

    def specific_attenuation(self, frequency, atmosphere=Atmosphere()):
        """Attenuation in dB/km; arguments and errors of :meth:`coefficient`."""
        return DB_PER_KM * self.coefficient(frequency, atmosphere)

    def _checked_frequency(self, frequency):
        try:
            values = np.asarray(frequency, dtype=np.float64)
        except (TypeError, ValueError):
            raise ValueError(f"frequency: expected numbers in Hz, got {frequency!r}") from None
        low, high = self.frequency_range
        bad = values[~((values >= low) & (values <= high))]
        if bad.size:
            raise ValueError(
                f"frequency: expected {low / 1e9:g} to {high / 1e9:g} GHz for the model {self.name!r}, "
                f"got {bad[0] / 1e9:g} GHz{self.beyond}"
            )
        return values

    def _check_atmosphere(self, atmosphere):
        pass

    @abstractmethod
    def _coefficient(self, frequency, atmosphere):
        """In 1/m, of checked arguments."""


class ConstantModel(AbsorptionModel):
    """One coefficient at all frequencies and in all weather.

    Args:
        coefficient_per_m: power absorption coefficient in 1/m, at least 0.
    """

    name = "constant"
    frequency_range = (np.nextafter(0, 1), np.finfo(float).max)

    def __init__(self, coefficient_per_m):
        value = float(coefficient_per_m)
        if not 0 <= value < np.inf:
            raise ValueError(f"coefficient_per_m: expected a finite number from 0, got {coefficient_per_m!r}")
        self.coefficient_per_m = value

    def _coefficient(self, frequency, atmosphere):
        return np.full(frequency.shape, self.coefficient_per_m)
