# SPDX-License-Identifier: GPL-3.0-or-later
"""Array geometry, steering vectors and code books, and the presets the rest of the package shares."""

from .codebook import Codebook, far_field_codebook, hybrid_field_codebook, polar_codebook, visible_directions
from .geometry import SPEED_OF_LIGHT, SubarrayArray
from .presets import array_preset, array_presets
from .steering import WAVEFRONTS, advance, steering_vectors, steering_vectors_at

__all__ = [
    "Codebook",
    "SPEED_OF_LIGHT",
    "SubarrayArray",
    "WAVEFRONTS",
    "advance",
    "array_preset",
    "array_presets",
    "far_field_codebook",
    "hybrid_field_codebook",
    "polar_codebook",
    "steering_vectors",
    "steering_vectors_at",
    "visible_directions",
]
