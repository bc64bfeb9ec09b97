# SPDX-License-Identifier: GPL-3.0-or-later
"""Channel simulation: paths drawn at random, the response of an array of subarrays to them, and the hardware."""

from . import hardware
from .hybrid_field import HybridFieldChannel
from .paths import PathKind, PathTable
from .presets import preset, presets
from .response import SubarrayWaves, path_gain, response, subarray_waves
from .schedule import CombinerSchedule, plan_combiners
from .uplink import UplinkChannel
from .users import draw_users

__all__ = [
    "CombinerSchedule",
    "HybridFieldChannel",
    "PathKind",
    "PathTable",
    "SubarrayWaves",
    "UplinkChannel",
    "draw_users",
    "hardware",
    "path_gain",
    "plan_combiners",
    "preset",
    "presets",
    "response",
    "subarray_waves",
]
