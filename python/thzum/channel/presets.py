# SPDX-License-Identifier: GPL-3.0-or-later
"""Named channel set-ups: an array preset with the statistics of its paths."""

from ..array import array_preset
from .hybrid_field import HybridFieldChannel

# Path statistics of the same publication as the array preset of this name.
_PUBLISHED = dict(
    n_paths=5,
    los_distance=30.0,
    scatterer_distance=(10.0, 25.0),
    delay_spread=0.1,
    refractive_index=2.24 - 0.025j,
    surface_roughness=88e-6,
)
_WAVELENGTH = array_preset("nearfield_panel1024").wavelength

_PRESETS = {
    "thz300_aosa4x256": _PUBLISHED,
    # A hall: the user beyond the Rayleigh distance of 16.3 m, scatterers on both sides of it, and one path more
    # since surfaces are smoother in the longer wavelength.
    "thz140_aosa32x64": {**_PUBLISHED, "n_paths": 6, "los_distance": 20.0, "scatterer_distance": (8.0, 20.0)},
    # Same paths as the first, so that the arrays can be compared; all of them are far for this panel.
    "thz300_panel1024": _PUBLISHED,
    # Sources at up to 60 wavelengths, all of them in the near field, as the near-field benchmark has it. It
    # starts at 10 wavelengths in a 60-degree cone before the panel; here directions fill the half space, and
    # from 15 wavelengths on no source can lie inside the panel.
    "nearfield_panel1024": {
        **_PUBLISHED,
        "los_distance": 60 * _WAVELENGTH,
        "scatterer_distance": (15 * _WAVELENGTH, 60 * _WAVELENGTH),
        "resolution": "element",
    },
}


def presets():
    """Names of the channel presets."""
    return sorted(_PRESETS)


def preset(name, **overrides):
    """The channel model called ``name``, with any of its parameters replaced by ``overrides``."""
    if name not in _PRESETS:
        raise ValueError(f"name: expected one of {presets()}, got {name!r}")
    return HybridFieldChannel(array=array_preset(name), **{**_PRESETS[name], **overrides})
