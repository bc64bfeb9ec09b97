# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures: angular spectra, NMSE bars and constellations, each drawn into the axes given.

Nothing here touches pyplot or a display: :func:`new_figure` makes a figure on the Agg canvas, and axes of
any other origin work as well.
"""

import numpy as np

# Okabe and Ito's palette, which colour-blind readers can tell apart.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#F0E442", "#000000")


def new_figure(width=12.0, height=8.0):
    """An empty figure of ``width`` x ``height`` inches that is saved by its ``savefig``."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure


def angular_spectrum(h, spacing, grid=81):
    """Beamformer power of subarrays over the visible region, floats [..., grid, grid].

    P(uy, ux) = |sum_rc h[r,c] exp(-j 2 pi spacing (uy r + ux c))|^2 / (rows * cols), for direction cosines
    ux, uy on a uniform grid over [-1, 1]; NaN outside the unit disc, which no plane wave reaches.

    Args:
        h: responses of subarrays, complex [..., rows, cols].
        spacing: element spacing in wavelengths.
        grid: points per axis.
    """
    h = np.asarray(h)
    if h.ndim < 2:
        raise ValueError(f"h: expected responses of subarrays [..., rows, cols], got shape {h.shape}")
    rows, cols = h.shape[-2:]
    u = np.linspace(-1, 1, grid)
    dtype = np.result_type(h.dtype, np.complex64)
    row_wave = np.exp(-2j * np.pi * spacing * np.outer(u, np.arange(rows))).astype(dtype)
    col_wave = np.exp(-2j * np.pi * spacing * np.outer(u, np.arange(cols))).astype(dtype)
    power = np.abs(row_wave @ h @ col_wave.T) ** 2 / (rows * cols)
    return np.where(u[:, None] ** 2 + u**2 <= 1, power, np.nan)


def plot_angular_spectrum(axes, h, spacing, reference=None, floor_db=-25.0, title=""):
    """Draw :func:`angular_spectrum` of ``h`` [rows, cols] in dB below ``reference`` (default: its peak).

    Returns the image, for a colour bar.
    """
    power = angular_spectrum(h, spacing)
    reference = np.nanmax(power) if reference is None else reference
    level = 10 * np.log10(np.maximum(power, 1e-30) / max(reference, 1e-30))
    image = axes.imshow(
        level,
        origin="lower",
        extent=(-1, 1, -1, 1),
        vmin=floor_db,
        vmax=0,
        cmap="magma",
        interpolation="nearest",
    )
    axes.set(title=title, xlabel="direction cosine $u_x$", ylabel="direction cosine $u_y$")
    return image


def plot_nmse_bars(axes, results, title="Channel estimation error"):
    """Grouped bars of NMSE in dB, a group per SNR and a bar per estimator; lower is better.

    Args:
        results: {estimator: {snr_db: nmse_db}}.
    """
    snrs = sorted({snr for by_snr in results.values() for snr in by_snr})
    width = 0.84 / max(len(results), 1)
    for k, (name, by_snr) in enumerate(results.items()):
        known = [i for i, snr in enumerate(snrs) if snr in by_snr]
        values = [by_snr[snrs[i]] for i in known]
        x = np.array(known, float) + (k - 0.5 * (len(results) - 1)) * width
        axes.bar(x, values, width * 0.94, label=name, color=COLOURS[k % len(COLOURS)])
        for at, value in zip(x, values):
            under = dict(textcoords="offset points", ha="center", va="top", fontsize=6)
            axes.annotate(f"{value:.1f}", (at, value), (0, -2), **under)
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set_xticks(range(len(snrs)), [f"{snr:g}" for snr in snrs])
    axes.set(title=title, xlabel="SNR (dB)", ylabel="NMSE (dB), lower is better")
    axes.margins(y=0.12)
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)
    if results:
        below = dict(loc="upper center", bbox_to_anchor=(0.5, -0.14))
        axes.legend(fontsize=8, ncols=min(len(results), 6), frameon=False, **below)


def plot_constellation(axes, samples, points=(), title="", limit=None):
    """Scatter of complex ``samples`` (any shape) with the constellation's ``points`` as crosses.

    ``limit`` is half the width of the plot; the default shows all but the outermost 0.5 % of the samples.
    """
    samples = np.asarray(samples).ravel()
    samples = samples[np.isfinite(samples)]
    axes.plot(samples.real, samples.imag, ".", markersize=2, alpha=0.5, color=COLOURS[0])
    points = np.asarray(points)
    axes.plot(points.real, points.imag, "x", markersize=6, markeredgewidth=1.2, color=COLOURS[4])
    if limit is None:
        extent = np.concatenate([np.abs(samples.real), np.abs(samples.imag)])
        limit = 1.1 * (np.quantile(extent, 0.995) if len(extent) else 1.0) or 1.0
    axes.set(title=title, xlim=(-limit, limit), ylim=(-limit, limit), xlabel="in phase", ylabel="quadrature")
    axes.set_aspect("equal")
    axes.grid(alpha=0.3)
