# SPDX-License-Identifier: GPL-3.0-or-later
"""Named channel set-ups: an array preset with the statistics of its paths."""

from ..array import array_preset
from .hybrid_field import HybridFieldChannel

_PRESETS = {
    # Path statistics of the same publication as the array preset of this name.
    "thz300_aosa4x256": dict(
        n_paths=5,
        los_distance=30.0,
        scatterer_distance=(10.0, 25.0),
        delay_spread=0.1,
        refractive_index=2.24 - 0.025j,
        surface_roughness=88e-6,
    ),
}


def presets():
    """Names of the channel presets."""
    return sorted(_PRESETS)


def preset(name, **overrides):
    """The channel model called ``name``, with any of its parameters replaced by ``overrides``."""
    if name not in _PRESETS:
        raise ValueError(f"name: expected one of {presets()}, got {name!r}")
    return HybridFieldChannel(array=array_preset(name), **{**_PRESETS[name], **overrides})
