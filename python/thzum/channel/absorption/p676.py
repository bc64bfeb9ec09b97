# SPDX-License-Identifier: GPL-3.0-or-later
"""Line-by-line attenuation of ITU-R P.676, Annex 1."""

import numpy as np

from . import p676_lines
from .atmosphere import Atmosphere
from .model import DB_PER_KM, AbsorptionModel


class P676Model(AbsorptionModel):
    """ITU-R P.676-12, Annex 1: 44 lines of oxygen, 35 of water and the dry continuum, 1 to 1000 GHz."""

    name = "p676"
    frequency_range = (1e9, 1e12)
    beyond = "; above 1 THz use the model 'line_list' with your own lines"

    def oxygen(self, frequency, atmosphere=Atmosphere()):
        """Share of dry air (oxygen lines and continuum) in dB/km."""
        return self._share(_dry_refractivity, frequency, atmosphere)

    def water_vapour(self, frequency, atmosphere=Atmosphere()):
        """Share of water vapour in dB/km."""
        return self._share(_wet_refractivity, frequency, atmosphere)

    def _share(self, refractivity, frequency, atmosphere):
        f = self._checked_frequency(frequency) / 1e9
        return (0.1820 * f * refractivity(f, atmosphere))[()]

    def _coefficient(self, frequency, atmosphere):
        f = frequency / 1e9
        refractivity = _dry_refractivity(f, atmosphere) + _wet_refractivity(f, atmosphere)
        return 0.1820 * f * refractivity / DB_PER_KM  # eq. 1


def _van_vleck_weisskopf(f, centre, width, interference):
    """Line shape F_i of P.676-12 eq. 5; broadcasts, all in GHz."""
    below = (width - interference * (centre - f)) / ((centre - f) ** 2 + width**2)
    above = (width - interference * (centre + f)) / ((centre + f) ** 2 + width**2)
    return f / centre * (below + above)


def _dry_refractivity(f, air):
    """Imaginary refractivity of dry air in ppm at ``f`` in GHz (P.676-12 eqs. 2a, 3, 6a, 6b, 7, 8, 9)."""
    centre, a1, a2, a3, a4, a5, a6 = np.array(p676_lines.OXYGEN).T
    theta, p, e = 300 / air.temperature, air.dry_pressure, air.vapour_pressure
    strength = a1 * 1e-7 * p * theta**3 * np.exp(a2 * (1 - theta))
    width = a3 * 1e-4 * (p * theta ** (0.8 - a4) + 1.1 * e * theta)
    width = np.sqrt(width**2 + 2.25e-6)  # Zeeman splitting
    interference = (a5 + a6 * theta) * 1e-4 * (p + e) * theta**0.8
    lines = _van_vleck_weisskopf(f[..., None], centre, width, interference) @ strength

    debye = 5.6e-4 * (p + e) * theta**0.8
    relaxation = 6.14e-5 / (debye * (1 + (f / debye) ** 2))
    nitrogen = 1.4e-12 * p * theta**1.5 / (1 + 1.9e-5 * f**1.5)
    return lines + f * p * theta**2 * (relaxation + nitrogen)


def _wet_refractivity(f, air):
    """Imaginary refractivity of water vapour in ppm at ``f`` in GHz (P.676-12 eqs. 2b, 3, 6a, 6b)."""
    centre, b1, b2, b3, b4, b5, b6 = np.array(p676_lines.WATER_VAPOUR).T
    theta, p, e = 300 / air.temperature, air.dry_pressure, air.vapour_pressure
    strength = b1 * 1e-1 * e * theta**3.5 * np.exp(b2 * (1 - theta))
    width = b3 * 1e-4 * (p * theta**b4 + b5 * e * theta**b6)
    width = 0.535 * width + np.sqrt(0.217 * width**2 + 2.1316e-12 * centre**2 / theta)  # Doppler
    return _van_vleck_weisskopf(f[..., None], centre, width, 0.0) @ strength
