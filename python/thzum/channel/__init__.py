# SPDX-License-Identifier: GPL-3.0-or-later
"""Channel simulation: paths drawn at random, the response of an array of subarrays to them, and the hardware."""

from . import hardware, scene, statistics
from .absorption import (
    AbsorptionModel,
    Atmosphere,
    LineList,
    absorption_model,
    absorption_models,
    plot_absorption,
)
from .batch import ChannelBatch
from .config import ChannelConfig, from_config
from .frequency_grid import FrequencyGrid
from .hybrid_field import HybridFieldChannel
from .path_loss import (
    absorption_noise_temperature,
    amplitude_gain,
    free_space_gain,
    path_loss_db,
    transmittance,
)
from .paths import PathKind, PathTable
from .presets import preset, presets
from .response import SubarrayWaves, path_gain, response, subarray_waves
from .scene import Scene
from .schedule import CombinerSchedule, plan_combiners
from .squint import SquintRow, array_gain, gain_over_band, source_before, squint_table
from .true_time_delay import TtdFrontEnd, TtdSetting
from .uplink import UplinkChannel
from .users import draw_users
from .wideband import effective_taps, frequency_response, impulse_response, raised_cosine, subcarrier_frequencies

__all__ = [
    "AbsorptionModel",
    "Atmosphere",
    "ChannelBatch",
    "ChannelConfig",
    "CombinerSchedule",
    "FrequencyGrid",
    "HybridFieldChannel",
    "LineList",
    "PathKind",
    "PathTable",
    "Scene",
    "SquintRow",
    "SubarrayWaves",
    "TtdFrontEnd",
    "TtdSetting",
    "UplinkChannel",
    "absorption_model",
    "absorption_models",
    "absorption_noise_temperature",
    "amplitude_gain",
    "array_gain",
    "draw_users",
    "effective_taps",
    "free_space_gain",
    "frequency_response",
    "from_config",
    "gain_over_band",
    "hardware",
    "impulse_response",
    "path_gain",
    "path_loss_db",
    "plan_combiners",
    "plot_absorption",
    "preset",
    "presets",
    "raised_cosine",
    "response",
    "scene",
    "source_before",
    "squint_table",
    "statistics",
    "subarray_waves",
    "subcarrier_frequencies",
    "transmittance",
]
