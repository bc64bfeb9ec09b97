# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place where the dimensions of named arrays stand."""

from .geometry import SubarrayArray

_PRESETS = {
    # Set-up of Yu et al., "An adaptive and robust deep learning framework for THz ultra-massive MIMO
    # channel estimation", IEEE JSTSP 2023: 1024 antennas at 300 GHz, Rayleigh distance 15.4 m.
    "thz300_aosa4x256": SubarrayArray(
        sub_rows=2, sub_cols=2, rows=16, cols=16, carrier_frequency=300e9, spacing=0.2, gap=56.0
    ),
    # 32 RF chains for 24 users. Users of a hall or cell differ in azimuth more than in height, so the line of
    # subarrays is longer along x. Half a wavelength is the largest spacing without grating lobes within a
    # subarray; the gap of 4 wavelengths (8.6 mm) leaves room for the circuits and makes the aperture
    # 12 x 5.6 cm, whose Rayleigh distance of 16.3 m divides a room into near and far users.
    "thz140_aosa32x64": SubarrayArray(
        sub_rows=4, sub_cols=8, rows=8, cols=8, carrier_frequency=140e9, spacing=0.5, gap=4.0
    ),
    # The usual fully filled panel, to compare beam squint with.
    "thz300_panel1024": SubarrayArray.panel(32, 32, carrier_frequency=300e9, spacing=0.5),
    # Panel of the near-field benchmark. That benchmark counts in wavelengths, so the carrier is free; it is
    # the other panel's.
    "nearfield_panel1024": SubarrayArray.panel(32, 32, carrier_frequency=300e9, spacing=0.25),
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
