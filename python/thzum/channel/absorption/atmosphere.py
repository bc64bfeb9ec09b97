# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of the air that absorption depends on."""

from dataclasses import dataclass

import numpy as np

# Ranges outside which no weather on Earth lies and the models are not meant to be used.
_TEMPERATURE = (180.0, 330.0)
_DRY_PRESSURE = (1.0, 1100.0)
_SATURATION_MARGIN = 1.01  # humidity is measured to a per cent or so


def saturation_pressure(temperature, pressure=1013.25):
    """Saturation pressure of water vapour over water in hPa (Buck, J. Appl. Meteorol. 20, 1981).

    Args:
        temperature: in K.
        pressure: total pressure of the air in hPa, for the enhancement factor.
    """
    enhanced = 6.1121 * (1.0007 + 3.46e-6 * pressure)
    return enhanced * np.exp(17.502 * (temperature - 273.15) / (temperature - 32.18))


def _checked(name, value, low, high, unit):
    """``value`` as a float within [low, high], or ValueError."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = np.nan
    if not low <= number <= high:
        raise ValueError(f"{name}: expected a number from {low:g} to {high:g} {unit}, got {value!r}")
    return number


@dataclass(frozen=True)
class Atmosphere:
    """Temperature, pressure and humidity of the air along a path. The default is the reference of P.676.

    Attributes:
        temperature: in K, 180 to 330.
        dry_pressure: partial pressure of the dry air in hPa, 1 to 1100. This is the p of ITU-R P.676; the
            barometer shows :attr:`pressure`, which adds that of the vapour.
        vapour_density: of water in g/m^3, from 0 to saturation at this temperature.

    Raises ValueError for anything else, NaN included.
    """

    temperature: float = 288.15
    dry_pressure: float = 1013.25
    vapour_density: float = 7.5

    def __post_init__(self):
        keep = object.__setattr__
        keep(self, "temperature", _checked("temperature", self.temperature, *_TEMPERATURE, "K"))
        keep(self, "dry_pressure", _checked("dry_pressure", self.dry_pressure, *_DRY_PRESSURE, "hPa"))
        keep(self, "vapour_density", _checked("vapour_density", self.vapour_density, 0, 150, "g/m^3"))
        if not self.relative_humidity <= 100 * _SATURATION_MARGIN:
            raise ValueError(
                f"vapour_density: expected at most saturation at {self.temperature:g} K, got "
                f"{self.vapour_density:g} g/m^3 ({self.relative_humidity:.0f} % relative humidity); "
                "lower it or raise the temperature"
            )

    @classmethod
    def from_relative_humidity(cls, temperature=288.15, pressure=1013.25, relative_humidity=58.0):
        """From what weather stations report: K, total pressure in hPa, relative humidity in per cent."""
        temperature = _checked("temperature", temperature, *_TEMPERATURE, "K")
        pressure = _checked("pressure", pressure, *_DRY_PRESSURE, "hPa")
        relative_humidity = _checked("relative_humidity", relative_humidity, 0, 100, "%")
        vapour_pressure = 0.01 * relative_humidity * saturation_pressure(temperature, pressure)
        return cls(temperature, pressure - vapour_pressure, 216.7 * vapour_pressure / temperature)

    @property
    def vapour_pressure(self):
        """Partial pressure of water vapour in hPa (P.676-12 eq. 4)."""
        return self.vapour_density * self.temperature / 216.7

    @property
    def pressure(self):
        """Total pressure in hPa."""
        return self.dry_pressure + self.vapour_pressure

    @property
    def relative_humidity(self):
        """In per cent, over water."""
        return 100 * self.vapour_pressure / saturation_pressure(self.temperature, self.pressure)

    @property
    def vapour_mixing_ratio(self):
        """Volume mixing ratio of water vapour, 0 to 1."""
        return self.vapour_pressure / self.pressure
