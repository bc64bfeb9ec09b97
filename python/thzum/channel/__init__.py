# SPDX-License-Identifier: GPL-3.0-or-later
"""Channel simulation: paths drawn at random, the response of an array of subarrays to them, and the hardware."""

from . import hardware, statistics
from .batch import ChannelBatch
from .config import ChannelConfig, from_config
from .frequency_grid import FrequencyGrid
from .absorption import (
    AbsorptionModel,
    Atmosphere,
    LineList,
    absorption_model,
    absorption_models,
    plot_absorption,
)
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

__all__ = [
    "AbsorptionModel",
    "Atmosphere",
    "ChannelBatch",
    "ChannelConfig",
    "FrequencyGrid",
    "HybridFieldChannel",
    "LineList",
    "PathKind",
    "PathTable",
    "SubarrayWaves",
    "absorption_model",
    "absorption_models",
    "absorption_noise_temperature",
    "amplitude_gain",
    "free_space_gain",
    "from_config",
    "hardware",
    "path_gain",
    "path_loss_db",
    "plot_absorption",
    "preset",
    "presets",
    "response",
    "statistics",
    "subarray_waves",
    "transmittance",
]
