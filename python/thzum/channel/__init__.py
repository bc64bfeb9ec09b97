# SPDX-License-Identifier: GPL-3.0-or-later
"""Channel simulation: paths drawn at random, the response of an array of subarrays to them, and the hardware."""

from . import hardware, scene
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
from .scene import Scene

__all__ = [
    "AbsorptionModel",
    "Atmosphere",
    "HybridFieldChannel",
    "LineList",
    "PathKind",
    "PathTable",
    "Scene",
    "SubarrayWaves",
    "absorption_model",
    "absorption_models",
    "absorption_noise_temperature",
    "amplitude_gain",
    "free_space_gain",
    "hardware",
    "path_gain",
    "path_loss_db",
    "plot_absorption",
    "preset",
    "presets",
    "response",
    "scene",
    "subarray_waves",
    "transmittance",
]
