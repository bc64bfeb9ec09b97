# SPDX-License-Identifier: GPL-3.0-or-later
"""Channel simulation: paths drawn at random, the response of an array of subarrays to them, and the hardware."""

from . import hardware
from .hybrid_field import HybridFieldChannel
from .paths import PathKind, PathTable
from .presets import preset, presets
from .response import SubarrayWaves, path_gain, response, subarray_waves
from .squint import SquintRow, array_gain, gain_over_band, source_before, squint_table
from .true_time_delay import TtdFrontEnd, TtdSetting
from .wideband import effective_taps, frequency_response, impulse_response, raised_cosine, subcarrier_frequencies

__all__ = [
    "HybridFieldChannel",
    "PathKind",
    "PathTable",
    "SquintRow",
    "SubarrayWaves",
    "TtdFrontEnd",
    "TtdSetting",
    "array_gain",
    "effective_taps",
    "frequency_response",
    "gain_over_band",
    "hardware",
    "impulse_response",
    "path_gain",
    "preset",
    "presets",
    "raised_cosine",
    "response",
    "source_before",
    "squint_table",
    "subarray_waves",
    "subcarrier_frequencies",
]
