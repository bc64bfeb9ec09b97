# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place where the dimensions of named arrays stand."""

from .geometry import SubarrayArray

_PRESETS = {
    # Set-up of Yu et al., "An adaptive and robust deep learning framework for THz ultra-massive MIMO
    # channel estimation", IEEE JSTSP 2023: 1024 antennas at 300 GHz, Rayleigh distance 15.4 m.
    "thz300_aosa4x256": SubarrayArray(
        sub_rows=2, sub_cols=2, rows=16, cols=16, carrier_frequency=300e9, spacing=0.2, gap=56.0
    ),
}


def array_presets():
    """Names of the array presets."""
    return sorted(_PRESETS)


def array_preset(name):
    """The :class:`SubarrayArray` called ``name``; ValueError lists the known names."""
    try:
        return _PRESETS[name]
    except KeyError:
        raise ValueError(f"name: expected one of {array_presets()}, got {name!r}") from None
