# SPDX-License-Identifier: GPL-3.0-or-later
"""Uniform subcarrier grids."""

from dataclasses import asdict, dataclass

from .hardware.checks import integer, real
from .wideband import subcarrier_frequencies


@dataclass(frozen=True)
class FrequencyGrid:
    """The frequencies of an OFDM grid, f_k = centre + (k - F // 2) bandwidth / F for k = 0 .. F - 1.

    Attributes:
        centre: in Hz, above 0.
        bandwidth: in Hz, above 0 and below the centre.
        subcarriers: F, at least 1.
    """

    centre: float
    bandwidth: float
    subcarriers: int

    def __post_init__(self):
        object.__setattr__(self, "centre", real("frequencies.centre", self.centre, above=0.0))
        object.__setattr__(self, "bandwidth", real("frequencies.bandwidth", self.bandwidth, above=0.0))
        object.__setattr__(self, "subcarriers", integer("frequencies.subcarriers", self.subcarriers, 1, 1 << 20))
        if self.bandwidth >= self.centre:
            raise ValueError(
                f"frequencies.bandwidth: expected less than the centre frequency of {self.centre:g} Hz, "
                f"got {self.bandwidth:g} Hz; both are in Hz"
            )

    @property
    def spacing(self):
        """Distance of neighbouring subcarriers in Hz."""
        return self.bandwidth / self.subcarriers

    @property
    def edges(self):
        """Lowest and highest frequency of the band in Hz."""
        return self.centre - 0.5 * self.bandwidth, self.centre + 0.5 * self.bandwidth

    def values(self):
        """The frequencies in Hz, float64 [F]."""
        return subcarrier_frequencies(self.centre, self.bandwidth, self.subcarriers)

    def to_dict(self):
        """Plain data from which the same grid can be made."""
        return asdict(self)
