# SPDX-License-Identifier: GPL-3.0-or-later
"""Reflection of a plane wave by a surface: Fresnel coefficients and the loss by roughness."""

import numpy as np

from ..array import SPEED_OF_LIGHT

POLARISATIONS = ("te", "tm")


def fresnel(refractive_index, incidence, polarisation="te"):
    """Amplitude reflection coefficient of a smooth half space, complex128 of the shape of ``incidence``.

    Args:
        refractive_index: complex index n of the surface; a loss is a negative imaginary part.
        incidence: angle from the surface's normal in radians, 0 to pi/2.
        polarisation: "te", the electric field normal to the plane of incidence, or "tm".
    """
    if polarisation not in POLARISATIONS:
        raise ValueError(f"polarisation: expected one of {POLARISATIONS}, got {polarisation!r}")
    n, cos_i = complex(refractive_index), np.cos(incidence)
    cos_t = np.sqrt(1 - (np.sin(incidence) / n) ** 2)
    first, second = (cos_i, n * cos_t) if polarisation == "te" else (n * cos_i, cos_t)
    return (first - second) / (first + second)


def roughness_factor(frequency, roughness, incidence):
    """What a rough surface leaves of the specular amplitude: exp(-8 pi^2 f^2 sigma^2 cos^2(i) / c^2).

    Args:
        frequency: in Hz.
        roughness: rms height sigma in m.
        incidence: angle from the surface's normal in radians.
    """
    phase = 2 * np.pi * frequency * roughness * np.cos(incidence) / SPEED_OF_LIGHT
    return np.exp(-2 * phase**2)
