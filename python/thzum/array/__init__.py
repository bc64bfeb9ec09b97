# SPDX-License-Identifier: GPL-3.0-or-later
"""Array geometry: arrays of subarrays and the presets the rest of the package shares."""

from .geometry import SPEED_OF_LIGHT, SubarrayArray
from .presets import array_preset, array_presets

__all__ = ["SPEED_OF_LIGHT", "SubarrayArray", "array_preset", "array_presets"]
