# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures show what they should, without a display."""

import numpy as np
import pytest

from gnuradio.thzum import frame, plots


def plane_wave(ux, uy, rows=16, cols=16, spacing=0.2):
    return np.exp(2j * np.pi * spacing * (uy * np.arange(rows)[:, None] + ux * np.arange(cols)))


def test_angular_spectrum_of_a_plane_wave_peaks_at_its_direction():
    power = plots.angular_spectrum(plane_wave(ux=-0.5, uy=0.3), 0.2, grid=81)
    u = np.linspace(-1, 1, 81)
    row, col = np.unravel_index(np.nanargmax(power), power.shape)
    assert u[col] == pytest.approx(-0.5) and u[row] == pytest.approx(0.3)
    assert power[row, col] == pytest.approx(256)
    assert np.isnan(power[0, 0]) and np.isfinite(power[40, 0])
    with pytest.raises(ValueError, match="responses of subarrays"):
        plots.angular_spectrum(np.ones(16), 0.2)


def test_figures_are_drawn_and_saved(tmp_path):
    figure = plots.new_figure(9, 3)
    axes = figure.subplots(1, 3)
    image = plots.plot_angular_spectrum(axes[0], plane_wave(0.1, 0.2), 0.2, title="subarray 1")
    assert image.get_array().max() == pytest.approx(0, abs=0.5)
    plots.plot_nmse_bars(axes[1], {"ls": {5.0: -2.0, 10.0: -2.5}, "fpn_oamp": {10.0: -17.0}})
    heights = sorted(patch.get_height() for patch in axes[1].patches)
    assert heights == [-17.0, -2.5, -2.0]
    samples = np.array([1 + 1j, -1 - 1j, np.nan])
    plots.plot_constellation(axes[2], samples, frame.constellation("qpsk"))
    assert len(axes[2].lines[0].get_xdata()) == 2 and len(axes[2].lines[1].get_xdata()) == 4
    path = tmp_path / "figure.png"
    figure.savefig(path)
    assert path.read_bytes()[:4] == b"\x89PNG"


def test_empty_plots_do_not_fail():
    axes = plots.new_figure().subplots(1, 2)
    plots.plot_nmse_bars(axes[0], {})
    plots.plot_constellation(axes[1], [])
