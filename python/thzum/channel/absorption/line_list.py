# SPDX-License-Identifier: GPL-3.0-or-later
"""Absorption lines of a gas in the quantities of the HITRAN database."""

from dataclasses import dataclass

import numpy as np

from .model import AbsorptionModel

_LIGHT_CM = 29979245800.0  # speed of light in cm/s
_SECOND_RADIATION = 1.438776877  # h c / k in cm K
_BOLTZMANN = 1.380649e-23
_ATM = 1013.25  # hPa


@dataclass(frozen=True)
class LineList:
    """Lines of one gas; every field but the last three is a number or an array [n_lines].

    Attributes:
        centre: line centre in 1/cm.
        intensity: at the reference temperature in cm/molecule, weighted by the isotopic abundance.
        air_width: half width at half maximum in air in 1/cm/atm.
        self_width: the same in the gas itself.
        lower_energy: energy of the lower state in 1/cm.
        width_exponent: n of the width's (T_ref/T)^n.
        mixing_ratio: volume mixing ratio of the gas in moist air, or "water" for that of the atmosphere.
        partition_exponent: the partition sum is taken to grow as T to this power: 1.5 for water and other
            bent molecules, 1 for linear ones.
        reference_temperature: in K.

    Raises ValueError for fields of different lengths and for values without a physical meaning.
    """

    centre: np.ndarray
    intensity: np.ndarray
    air_width: np.ndarray
    self_width: np.ndarray
    lower_energy: np.ndarray
    width_exponent: np.ndarray
    mixing_ratio: object = "water"
    partition_exponent: float = 1.5
    reference_temperature: float = 296.0

    def __post_init__(self):
        names = ("centre", "intensity", "air_width", "self_width", "lower_energy", "width_exponent")
        try:
            fields = [np.atleast_1d(np.asarray(getattr(self, name), np.float64)) for name in names]
            fields = np.broadcast_arrays(*fields)
        except (TypeError, ValueError):
            raise ValueError(f"{', '.join(names)}: expected numbers or arrays of one length") from None
        if fields[0].ndim != 1 or fields[0].size == 0:
            raise ValueError(f"centre: expected an array of at least one line, got shape {fields[0].shape}")
        for name, values in zip(names, fields):
            low = -np.inf if name == "width_exponent" else 0
            exclusive = name in ("centre", "air_width")
            if not np.all(np.isfinite(values) & ((values > low) if exclusive else (values >= low))):
                bound = "above" if exclusive else "from"
                raise ValueError(f"{name}: expected finite numbers {bound} {low:g}")
            object.__setattr__(self, name, values)
        if self.mixing_ratio != "water" and not 0 <= float(self.mixing_ratio) <= 1:
            raise ValueError(f'mixing_ratio: expected "water" or 0 to 1, got {self.mixing_ratio!r}')
        if not 180 <= self.reference_temperature <= 330:
            got = self.reference_temperature
            raise ValueError(f"reference_temperature: expected 180 to 330 K, got {got!r}")

    def __len__(self):
        return len(self.centre)

    @classmethod
    def from_hitran(cls, path, molecule=1, mixing_ratio="water", partition_exponent=1.5):
        """Lines of ``molecule`` (HITRAN number; 1 is water) from a file of 160-character HITRAN records."""
        rows = []
        with open(path, encoding="ascii") as file:
            for number, record in enumerate(file, 1):
                if not record.strip():
                    continue
                try:
                    if int(record[:2]) == molecule:
                        rows.append([float(record[a:b]) for a, b in _HITRAN_COLUMNS])
                except ValueError:
                    raise ValueError(f"path: line {number} of {path} is not a HITRAN record") from None
        if not rows:
            raise ValueError(f"path: no line of molecule {molecule} in {path}")
        return cls(*np.array(rows).T, mixing_ratio, partition_exponent)

    def coefficient(self, frequency, atmosphere):
        """Power absorption coefficient in 1/m at ``frequency`` in Hz, of the same shape."""
        nu = np.asarray(frequency, np.float64) / _LIGHT_CM
        water = self.mixing_ratio == "water"
        ratio = atmosphere.vapour_mixing_ratio if water else float(self.mixing_ratio)
        # hPa to Pa and 1/m^3 to 1/cm^3 leave 1e-4; cm to m gives 100.
        molecules_per_cm3 = 1e-4 * ratio * atmosphere.pressure / (_BOLTZMANN * atmosphere.temperature)
        strength = 100 * molecules_per_cm3 * self.intensity_at(atmosphere.temperature) / np.pi
        width = self._width(atmosphere, ratio)
        total = np.zeros_like(nu)
        # One line at a time: lists of thousands of lines would not fit into memory against a fine grid.
        for centre, s, w in zip(self.centre, strength, width):
            shape = w / ((nu - centre) ** 2 + w**2) + w / ((nu + centre) ** 2 + w**2)
            total += s * (nu / centre) ** 2 * shape
        return total

    def intensity_at(self, temperature):
        """Intensities in cm/molecule at ``temperature`` in K as the HITRAN database defines them."""
        hot, cold = _SECOND_RADIATION / temperature, _SECOND_RADIATION / self.reference_temperature
        partition = (self.reference_temperature / temperature) ** self.partition_exponent
        boltzmann = np.exp(-self.lower_energy * (hot - cold))
        emission = np.expm1(-self.centre * hot) / np.expm1(-self.centre * cold)
        return self.intensity * partition * boltzmann * emission

    def _width(self, atmosphere, ratio):
        """Half widths in 1/cm at this pressure and temperature, HITRAN's definition too."""
        total = atmosphere.pressure / _ATM
        at_reference = total * ((1 - ratio) * self.air_width + ratio * self.self_width)
        return at_reference * (self.reference_temperature / atmosphere.temperature) ** self.width_exponent


# Columns of a HITRAN record in the order of LineList's fields.
_HITRAN_COLUMNS = ((3, 15), (15, 25), (35, 40), (40, 45), (45, 55), (55, 59))


class LineListModel(AbsorptionModel):
    """Sum of the van Vleck-Weisskopf lines that the user supplies, for frequencies above 1 THz above all.

    There is no continuum: between strong lines of water the true absorption is higher. Wings are not cut, as
    in P.676. The Doppler width is neglected, so pressures below 100 hPa are refused.

    Args:
        lines: a :class:`~gnuradio.thzum.channel.LineList`, or several in a list, one for each gas.
        frequency_range: (lowest, highest) in Hz that the lists cover, with the lines beside it whose wings
            matter; the user answers for it.
    """

    name = "line_list"
    beyond = "; give lines for the frequencies wanted and widen frequency_range"

    def __init__(self, lines=(), frequency_range=None):
        lines = (lines,) if isinstance(lines, LineList) else tuple(lines)
        if not lines or not all(isinstance(item, LineList) for item in lines):
            raise ValueError(
                "lines: expected a LineList or a list of them; no line data above 1 THz come with this "
                "package: fetch them (HITRAN, for one) and read them with LineList.from_hitran"
            )
        try:
            low, high = (float(bound) for bound in frequency_range)
        except (TypeError, ValueError):
            low = high = np.nan
        if not 0 < low < high < np.inf:
            raise ValueError(f"frequency_range: expected (lowest, highest) in Hz, got {frequency_range!r}")
        self.lines = lines
        self.frequency_range = (low, high)

    def _check_atmosphere(self, atmosphere):
        if atmosphere.pressure < 100:
            raise ValueError(
                f"atmosphere: the model 'line_list' needs from 100 hPa, got {atmosphere.pressure:g}"
            )

    def _coefficient(self, frequency, atmosphere):
        return sum(item.coefficient(frequency, atmosphere) for item in self.lines)
