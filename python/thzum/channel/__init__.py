# SPDX-License-Identifier: GPL-3.0-or-later
"""Channel simulation: paths drawn at random, the response of an array of subarrays to them, and the hardware."""

from . import hardware, statistics
from .batch import ChannelBatch
from .config import ChannelConfig, from_config
from .frequency_grid import FrequencyGrid
from .hybrid_field import HybridFieldChannel
from .paths import PathKind, PathTable
from .presets import preset, presets
from .response import SubarrayWaves, path_gain, response, subarray_waves

__all__ = [
    "ChannelBatch",
    "ChannelConfig",
    "FrequencyGrid",
    "HybridFieldChannel",
    "PathKind",
    "PathTable",
    "SubarrayWaves",
    "from_config",
    "hardware",
    "path_gain",
    "preset",
    "presets",
    "response",
    "statistics",
    "subarray_waves",
]
