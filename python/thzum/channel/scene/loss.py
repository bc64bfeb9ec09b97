# SPDX-License-Identifier: GPL-3.0-or-later
"""How amplitudes decay with the length of a path."""

from dataclasses import dataclass, field

import numpy as np

from ...array import SPEED_OF_LIGHT
from ..absorption import AbsorptionModel, Atmosphere, absorption_model
from ..hardware.checks import real
from ..keys import mapping, refuse_unknown
from .component import Component, plain


@dataclass(frozen=True)
class PathLoss(Component):
    """Free space up to a reference distance, a power law beyond it, and molecular absorption.

    The amplitude gain over a length d is c / (4 pi f d0) (d / d0)^(-exponent / 2) exp(-k d / 2) with the
    absorption coefficient k at the carrier; an exponent of 2 is Friis' formula between isotropic antennas.

    Attributes:
        exponent: of the power against distance, 1 to 10.
        reference_distance: d0 in m.
        absorption: name of an absorption model, an :class:`AbsorptionModel`, or None for a vacuum.
        absorption_options: parameters of the named model, {"coefficient_per_m": k} of "constant", for one.
        atmosphere: an :class:`Atmosphere` or the dictionary of its parameters.
    """

    exponent: float = 2.0
    reference_distance: float = 1.0
    absorption: str | AbsorptionModel | None = "p676"
    absorption_options: dict = field(default_factory=dict)
    atmosphere: Atmosphere = Atmosphere()

    def __post_init__(self):
        self._set(
            exponent=real("exponent", self.exponent, low=1.0, high=10.0),
            reference_distance=real("reference_distance", self.reference_distance, above=0.0),
        )
        if not isinstance(self.atmosphere, Atmosphere):
            mapping("atmosphere", self.atmosphere)
            refuse_unknown("atmosphere", self.atmosphere, Atmosphere.__dataclass_fields__)
            self._set(atmosphere=Atmosphere(**self.atmosphere))
        mapping("absorption_options", self.absorption_options)
        if self.absorption_options and not isinstance(self.absorption, str):
            raise ValueError("absorption_options: expected none, as absorption is not the name of a model")
        self.model()

    def model(self):
        """The :class:`AbsorptionModel`, or None for a vacuum."""
        if self.absorption is None or isinstance(self.absorption, AbsorptionModel):
            return self.absorption
        return absorption_model(self.absorption, **self.absorption_options)

    def to_dict(self):
        """The dictionary from which ``from_dict`` makes the same loss; a model object has none, only a name."""
        if isinstance(self.absorption, AbsorptionModel):
            raise ValueError(
                f"absorption: expected the name of a model to write, got {type(self.absorption).__name__}; "
                "name it and put its parameters into absorption_options"
            )
        air = {name: getattr(self.atmosphere, name) for name in Atmosphere.__dataclass_fields__}
        names = ("exponent", "reference_distance", "absorption")
        own = {name: plain(getattr(self, name)) for name in names}
        return {**own, "absorption_options": dict(self.absorption_options), "atmosphere": air}

    def at(self, frequency):
        """The loss at one frequency in Hz, a :class:`LossAtFrequency`; ValueError where absorption is not known."""
        model = self.model()
        k = 0.0 if model is None else float(model.coefficient(frequency, self.atmosphere))
        return LossAtFrequency(float(frequency), self.exponent, self.reference_distance, k)


@dataclass(frozen=True)
class LossAtFrequency:
    """:class:`PathLoss` at one frequency.

    Attributes:
        frequency: in Hz.
        exponent, reference_distance: of the power law.
        absorption: power absorption coefficient in 1/m.
    """

    frequency: float
    exponent: float
    reference_distance: float
    absorption: float

    def gain(self, length):
        """Amplitude gain over ``length`` in m, of the same shape."""
        first = SPEED_OF_LIGHT / (4 * np.pi * self.frequency * self.reference_distance)
        decay = (np.asarray(length) / self.reference_distance) ** (-0.5 * self.exponent)
        return first * decay * np.exp(-0.5 * self.absorption * np.asarray(length))

    @staticmethod
    def delay(length):
        """Time in s that light takes for ``length`` in m."""
        return np.asarray(length) / SPEED_OF_LIGHT
