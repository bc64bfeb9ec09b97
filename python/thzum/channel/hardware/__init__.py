# SPDX-License-Identifier: GPL-3.0-or-later
"""Sub-THz hardware: oscillators, front end, converters, and their composition.

Every model of samples takes complex [..., n], one row per RF chain, and returns the same layout in the
same precision. Models with memory carry it from call to call: a signal processed in pieces comes out
sample for sample as if processed at once. ``reset()`` starts a model over, with the same seed.
"""

from .chain import Hardware
from .converter import Adc, SamplingOffset, optimal_loading, optimal_step, quantiser_moments
from .frontend import IqImbalance, PhaseShifter, RappAmplifier
from .oscillator import FrequencyOffset, PhaseNoise, UserPhaseNoise

__all__ = [
    "Adc",
    "FrequencyOffset",
    "Hardware",
    "IqImbalance",
    "PhaseNoise",
    "PhaseShifter",
    "RappAmplifier",
    "SamplingOffset",
    "UserPhaseNoise",
    "optimal_loading",
    "optimal_step",
    "quantiser_moments",
]
