# SPDX-License-Identifier: GPL-3.0-or-later
"""Channel simulation: hybrid near- and far-field multipath seen by an array of subarrays."""

from . import hardware
from .hybrid_field import HybridFieldChannel, PathTable
from .presets import preset, presets

__all__ = ["hardware", "HybridFieldChannel", "PathTable", "preset", "presets"]
