# SPDX-License-Identifier: GPL-3.0-or-later
"""Two published short formulas for the low terahertz windows.

The coefficients stand as in published code and were not compared with the papers. For 275 to 400 GHz:
TeraMIMO's Abs_Coef_Approx1.m, and YuanjianLi/THz_MolecularAbsorption, written independently; for 100 to 450 GHz:
TeraMIMO's Abs_Coef_Approx2.m and one more MATLAB transcription. In both cases the two agree in every number.
"""

import numpy as np

from .model import AbsorptionModel

# Wavenumbers in 1/cm of a frequency in Hz.
_PER_CM = 1 / 29979245800.0


class _PolynomialModel(AbsorptionModel):
    """Common part of the polynomial models, which were fitted in surface air."""

    beyond = "; the model 'p676' covers 1 to 1000 GHz"
    # Only the humidity enters the formulas. These bounds of surface air are this module's, not the papers'.
    pressure_range = (960.0, 1065.0)
    temperature_range = (273.15, 318.15)

    def _check_atmosphere(self, atmosphere):
        for name, unit in (("pressure", "hPa"), ("temperature", "K")):
            low, high = getattr(self, f"{name}_range")
            value = getattr(atmosphere, name)
            if not low <= value <= high:
                raise ValueError(
                    f"atmosphere: the model {self.name!r} takes a {name} of {low:g} to {high:g} {unit}, "
                    f"got {value:g}; use the model 'p676'"
                )


class Kokkoniemi275Model(_PolynomialModel):
    """Two lines and a cubic, 275 to 400 GHz.

    J. Kokkoniemi, J. Lehtomaki, M. Juntti, "Simplified molecular absorption loss model for 275-400 gigahertz
    frequency band", EuCAP 2018, doi 10.1049/cp.2018.0446. Its second line stands at 379.66 GHz, half a gigahertz
    below that of P.676, in both transcriptions. The cubic does not depend on humidity, so that in dry air the model may leave
    a slightly negative remainder, which is cut at 0.
    """

    name = "kokkoniemi275"
    frequency_range = (275e9, 400e9)

    def _coefficient(self, frequency, atmosphere):
        mu = atmosphere.vapour_mixing_ratio
        nu = frequency * _PER_CM
        line_325 = 0.2205 * mu * (0.1303 * mu + 0.0294) / ((0.4093 * mu + 0.0925) ** 2 + (nu - 10.835) ** 2)
        line_380 = 2.014 * mu * (0.1702 * mu + 0.0303) / ((0.537 * mu + 0.0956) ** 2 + (nu - 12.664) ** 2)
        fit = ((5.54e-37 * frequency - 3.94e-25) * frequency + 9.06e-14) * frequency - 6.36e-3
        return np.maximum(line_325 + line_380 + fit, 0)


class Kokkoniemi100Model(_PolynomialModel):
    """Six lines and a power law, 100 to 450 GHz.

    J. Kokkoniemi, J. Lehtomaki, M. Juntti, "A line-of-sight channel model for the 100-450 gigahertz frequency
    band", EURASIP J. Wireless Commun. Netw., doi 10.1186/s13638-021-01974-8 (arXiv 2002.04918), whose abstract
    claims +-2 dB of a line-by-line calculation over 1 km of very humid air. It has no continuum of water vapour.
    """

    name = "kokkoniemi100"
    frequency_range = (100e9, 450e9)

    # Water lines: centre in 1/cm; (x, y, z) of the strength x mu (y mu + z); (u, v) of the width u mu + v.
    _WATER = (
        (6.11, (0.1925, 0.1350, 0.0318), (0.4241, 0.0998)),
        (10.84, (0.2251, 0.1314, 0.0297), (0.4127, 0.0932)),
        (12.68, (2.053, 0.1717, 0.0306), (0.5394, 0.0961)),
        (14.65, (0.177, 0.0832, 0.0213), (0.2615, 0.0668)),
        (14.94, (2.146, 0.1206, 0.0277), (0.3789, 0.0871)),
    )

    def _coefficient(self, frequency, atmosphere):
        mu = atmosphere.vapour_mixing_ratio
        nu = frequency * _PER_CM
        dry = 1 - mu
        oxygen = 5.159e-5 * dry * (-6.65e-5 * dry + 0.0159)
        oxygen = oxygen / ((-2.09e-4 * dry + 0.05) ** 2 + (nu - 3.96) ** 2)
        total = oxygen + mu / 0.0157 * (2e-4 + 0.915e-112 * frequency**9.42)
        for centre, (x, y, z), (u, v) in self._WATER:
            total += x * mu * (y * mu + z) / ((u * mu + v) ** 2 + (nu - centre) ** 2)
        return total
