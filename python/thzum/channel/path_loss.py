# SPDX-License-Identifier: GPL-3.0-or-later
"""Loss of one path: spreading in free space and molecular absorption.

Frequencies in Hz and distances in m broadcast against each other. The medium absorbs power as exp(-k d),
so the amplitude decays as exp(-k d / 2).
"""

import numpy as np

from ..array import SPEED_OF_LIGHT
from .absorption import AbsorptionModel, Atmosphere, absorption_model


def free_space_gain(frequency, distance):
    """Amplitude gain c / (4 pi f d) between isotropic antennas; ValueError where it would exceed 1."""
    frequency = _positive("frequency", frequency, "Hz")
    distance = _positive("distance", distance, "m")
    gain = SPEED_OF_LIGHT / (4 * np.pi * frequency * distance)
    if np.any(gain > 1):
        raise ValueError("distance: expected at least wavelength / (4 pi), where the gain is 1")
    return gain


def transmittance(frequency, distance, model="p676", atmosphere=Atmosphere()):
    """Share of the power that absorption leaves, exp(-k d), 0 to 1; ``distance`` may be 0.

    Args:
        frequency: in Hz.
        distance: in m.
        model: an :class:`AbsorptionModel` or the name of one that needs no options.
        atmosphere: the :class:`Atmosphere` all along the path.
    """
    distance = _positive("distance", distance, "m", zero=True)
    model = model if isinstance(model, AbsorptionModel) else absorption_model(model)
    return np.exp(-model.coefficient(frequency, atmosphere) * distance)


def amplitude_gain(frequency, distance, model="p676", atmosphere=Atmosphere()):
    """Amplitude gain of a path, free space and absorption: sqrt of the received over the sent power.

    Arguments of :func:`transmittance`; the antennas are isotropic.
    """
    absorbed = np.sqrt(transmittance(frequency, distance, model, atmosphere))
    return free_space_gain(frequency, distance) * absorbed


def path_loss_db(frequency, distance, model="p676", atmosphere=Atmosphere()):
    """Loss of free space and absorption in dB, positive; arguments of :func:`transmittance`.

    Computed in decibels throughout, so that it stays finite where :func:`amplitude_gain` underflows to 0.
    """
    model = model if isinstance(model, AbsorptionModel) else absorption_model(model)
    spreading = -20 * np.log10(free_space_gain(frequency, distance))
    return spreading + model.specific_attenuation(frequency, atmosphere) * np.asarray(distance, float) / 1e3


def absorption_noise_temperature(frequency, distance, model="p676", atmosphere=Atmosphere()):
    """Noise temperature in K of the air on the path, T (1 - exp(-k d)): what absorbs also emits.

    The molecular absorption noise of Jornet and Akyildiz, IEEE Trans. Wireless Commun. 10, 2011.
    """
    return atmosphere.temperature * (1 - transmittance(frequency, distance, model, atmosphere))


def _positive(name, values, unit, zero=False):
    """``values`` as float64 above 0 (or from 0) and finite, or ValueError."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: expected numbers in {unit}, got {values!r}") from None
    good = np.isfinite(array) & ((array >= 0) if zero else (array > 0))
    if not np.all(good):
        bad = array[~good].flat[0]
        raise ValueError(f"{name}: expected finite {unit} {'from' if zero else 'above'} 0, got {bad!r}")
    return array
