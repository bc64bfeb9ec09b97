# SPDX-License-Identifier: GPL-3.0-or-later
"""Delays that are no whole number of samples: a Kaiser-windowed sinc, and what it costs."""

import numpy as np

from .hardware.checks import integer

#: Share of the Nyquist frequency up to which the stated accuracy of :func:`delay_filter` holds.
PASSBAND = 0.75
MAX_TAPS = 32


def kaiser_attenuation(n_taps):
    """Stop-band attenuation in dB of the window behind :func:`delay_filter` of ``n_taps`` taps.

    Kaiser's rule for a transition from 0.75 to 1.25 of the Nyquist frequency, A = 8 + 2.285 (pi / 2) n_taps
    (Oppenheim and Schafer, Discrete-Time Signal Processing, section 7.5.3).
    """
    return 8 + 2.285 * np.pi * 2 * (1 - PASSBAND) * checked_taps(n_taps)


def kaiser_beta(n_taps):
    """Shape of the Kaiser window that has :func:`kaiser_attenuation`; the rule of the same section."""
    attenuation = kaiser_attenuation(n_taps)
    if attenuation > 50:
        return 0.1102 * (attenuation - 8.7)
    return 0.5842 * max(attenuation - 21, 0.0) ** 0.4 + 0.07886 * max(attenuation - 21, 0.0)


def latency(n_taps):
    """Samples that a filter has to see beyond the instant it interpolates at."""
    return checked_taps(n_taps) // 2 - 1


def delay_filter(fraction, n_taps):
    """Filters w for x(t - fraction) = sum_j w[j] x[t - j + latency], float64 [..., n_taps].

    Up to :data:`PASSBAND` of the Nyquist frequency the error stays below 3 * 10^(-A / 20) of the amplitude, A
    being :func:`kaiser_attenuation`: 1.6e-3 with 16 taps, 6e-5 with 24, 2.2e-6 with 32. Above, the filter
    rolls off; a signal there comes out with the wrong amplitude.

    Args:
        fraction: of a sample, 0 <= fraction < 1; 0 gives exactly the unit impulse.
        n_taps: even, 4 to 32.
    """
    half = checked_taps(n_taps) // 2
    fraction = np.asarray(fraction, float)[..., None]
    distance = np.arange(1 - half, half + 1) - fraction
    window = np.i0(kaiser_beta(n_taps) * np.sqrt(np.maximum(1 - (distance / half) ** 2, 0.0)))
    weights = np.sinc(distance) * window / np.i0(kaiser_beta(n_taps))
    return np.where(fraction == 0, distance == 0, weights)


def checked_taps(n_taps):
    """``n_taps`` if it is an even integer from 4 to 32."""
    n_taps = integer("delay_taps", n_taps, 4, MAX_TAPS)
    if n_taps % 2:
        raise ValueError(f"delay_taps: expected an even number, got {n_taps}")
    return n_taps
