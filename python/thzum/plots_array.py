# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of arrays and front ends, each drawn into the axes given; see :mod:`gnuradio.thzum.plots` for a figure."""

import numpy as np

from .plots import COLOURS


def plot_gain_over_frequency(axes, frequencies, gains, title="Beam squint", floor_db=-20.0):
    """Draw relative array gains in dB against frequency.

    Args:
        axes: Matplotlib axes.
        frequencies: [F] in Hz, ascending.
        gains: {label: power gain [F] in [0, 1]}, see :func:`gnuradio.thzum.channel.gain_over_band`.
        title: of the axes.
        floor_db: lower end of the axis; deeper gains are cut.
    """
    frequencies = np.asarray(frequencies, float)
    for k, (label, gain) in enumerate(gains.items()):
        gain = np.asarray(gain, float)
        if gain.shape != frequencies.shape:
            raise ValueError(f"gains: expected shape {frequencies.shape} for {label!r}, got {gain.shape}")
        level = np.maximum(10 * np.log10(np.maximum(gain, 1e-30)), floor_db)
        axes.plot(frequencies / 1e9, level, label=label, color=COLOURS[k % len(COLOURS)])
    axes.set(title=title, xlabel="frequency (GHz)", ylabel="gain relative to the full array (dB)", ylim=(floor_db, 1))
    axes.grid(alpha=0.3)
    if gains:
        axes.legend(fontsize=8, frameon=False)


def plot_squint(
    axes, front_ends, bandwidth, elevation, azimuth, distance=None, n_frequencies=201, title="Beam squint"
):
    """Draw the gain of front ends focused on one source over a band around their carrier.

    Args:
        axes: Matplotlib axes.
        front_ends: {label: :class:`~gnuradio.thzum.channel.TtdFrontEnd`}, all of one carrier.
        bandwidth: in Hz.
        elevation, azimuth, distance: of the source, see :func:`gnuradio.thzum.channel.gain_over_band`.
        n_frequencies: points of each curve.
        title: of the axes.

    Returns:
        frequencies [F] in Hz and {label: gain [F]}.
    """
    from .channel import gain_over_band

    carriers = {front.array.carrier_frequency for front in front_ends.values()}
    if len(carriers) != 1:
        raise ValueError(f"front_ends: expected one carrier frequency, got {sorted(carriers)}")
    frequencies = carriers.pop() + bandwidth * np.linspace(-0.5, 0.5, n_frequencies)
    gains = {
        label: gain_over_band(front, frequencies, elevation, azimuth, distance) for label, front in front_ends.items()
    }
    plot_gain_over_frequency(axes, frequencies, gains, title)
    return frequencies, gains
