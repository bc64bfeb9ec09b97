# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of channels: geometry, polar spectrum, delays and angles, response over a band.

Each is drawn into the axes given; :func:`gnuradio.thzum.plots.new_figure` makes some without a display.
"""

import numpy as np

from ..plots import COLOURS
from .paths import PathKind
from .statistics import path_power

#: What a kind of path is called, and its colour and marker.
KINDS = {
    PathKind.LINE_OF_SIGHT: ("line of sight", COLOURS[4], "*"),
    PathKind.REFLECTED: ("reflected", COLOURS[0], "o"),
    PathKind.CLUSTERED: ("clustered", COLOURS[2], "s"),
    PathKind.DIFFUSE: ("diffuse", COLOURS[3], "."),
}
_PLANES = {"xz": (0, 2), "yz": (1, 2), "xy": (0, 1)}


def plot_geometry(axes, array, paths, plane="xz", floor_db=-40.0, title=""):
    """The array's subarrays, users (sources of lines of sight) and scatterers in a plane of the array's frame.

    A path is shown where its wave comes from: at its last scatterer, or at the image of the user in a wall.

    Args:
        axes: two-dimensional for a ``plane``, or three-dimensional (projection "3d").
        array: the :class:`SubarrayArray`.
        paths: a :class:`PathTable` of any leading shape.
        plane: "xz" (from above), "yz" (from the side) or "xy" (as the array sees it); unused in 3-D.
        floor_db: paths that are weaker than the strongest by more than this are left out.

    The artists are labelled; ``axes.legend()`` shows what they are.
    """
    if plane not in _PLANES:
        raise ValueError(f"plane: expected one of {sorted(_PLANES)}, got {plane!r}")
    spatial = hasattr(axes, "get_zlim")
    # In 3-D the array's normal lies along the second, horizontal axis.
    shown = (0, 2, 1) if spatial else _PLANES[plane]
    for kind, sources, level in _by_kind(paths, paths.source_positions(), floor_db):
        name, colour, marker = KINDS[kind]
        size = (90 if marker == "*" else 26) * (1 + level / abs(floor_db)) + 6
        edge = dict(edgecolors="white", linewidths=0.4) if marker != "." else {}
        label = "users" if kind == PathKind.LINE_OF_SIGHT else f"sources of {name} paths"
        axes.scatter(*sources[:, shown].T, s=size, c=colour, marker=marker, label=label, alpha=0.85, zorder=3, **edge)
    outline = _outlines(array)
    for k, corners in enumerate(outline):
        label = f"array ({array.n_subarrays} subarrays)" if k == 0 else None
        axes.plot(*corners[:, shown].T, color="black", linewidth=1.5, zorder=4)
        # Most arrays are points on the scale of their surroundings.
        if k == 0:
            centre = outline[:, :4].mean(axis=(0, 1))[list(shown)]
            axes.plot(*centre[:, None], "D", color="black", markersize=6, label=label, linestyle="none", zorder=4)
    labels = [f"${'xyz'[axis]}$ (m)" for axis in shown]
    axes.set(title=title, xlabel=labels[0], ylabel=labels[1])
    if spatial:
        axes.set_zlabel(labels[2])
        axes.set_aspect("equal")
    else:
        axes.set_aspect("equal", adjustable="datalim")
    axes.grid(alpha=0.3)
    axes.set_axisbelow(True)


def polar_spectrum(h, array, azimuth=0.0, angles=None, distances=91, nearest=None, farthest=None, limits=(-1, 1)):
    """Power of a spherical matched filter over angle and distance in a plane through the array's normal.

    P(d, a) = |sum_n h_n conj(w_n(d, a))|^2 / N with w the phases of an exact spherical wave from the point
    at distance d and angle a from the normal at the array's centre: N for such a wave itself.

    Args:
        h: complex [N], one channel at the carrier.
        array: the :class:`SubarrayArray`.
        azimuth: of the plane, in radians from x; angles count positive towards it.
        angles: points of a uniform grid of sin(angle) over ``limits``; default four per beam of the aperture.
        distances: points of a uniform grid of 1 / distance.
        nearest, farthest: in m; default a twentieth of and three times the Rayleigh distance.
        limits: least and largest sin(angle).

    Returns sin(angle) [A], distance [D] in m, increasing, and power [D, A].
    """
    h = np.asarray(h)
    if h.shape != (array.n_antennas,):
        raise ValueError(f"h: expected one channel of {array.n_antennas} antennas, got shape {h.shape}")
    rayleigh = array.rayleigh_distance()
    nearest = max(rayleigh / 20, 2 * array.wavelength) if nearest is None else nearest
    farthest = max(3 * rayleigh, 2 * nearest) if farthest is None else farthest
    if not 0 < nearest < farthest:
        raise ValueError(f"nearest, farthest: expected 0 < nearest < farthest in m, got {nearest:g}, {farthest:g}")
    low, high = limits
    if not -1 <= low < high <= 1:
        raise ValueError(f"limits: expected -1 <= low < high <= 1, got {limits!r}")
    positions = array.element_positions().reshape(-1, 2)
    positions = positions - positions.mean(axis=0)
    along = positions @ [np.cos(azimuth), np.sin(azimuth)]
    if angles is None:
        angles = int(np.clip(4 * np.ptp(along) / array.wavelength * (high - low), 181, 1201))
    sine = np.linspace(low, high, angles)
    distance = 1 / np.linspace(1 / nearest, 1 / farthest, distances)
    power = np.empty((distances, angles))
    radius2 = np.sum(positions**2, axis=1)
    for k, d in enumerate(distance):
        # sqrt(d^2 + change) - d without cancellation
        change = radius2 - 2 * d * np.outer(sine, along)
        excess = change / (d + np.sqrt(d**2 + change))
        phase = (-2 * np.pi * np.remainder(excess / array.wavelength, 1.0)).astype(np.float32)
        matched = np.exp(-1j * phase) @ h.astype(np.complex64)
        power[k] = np.abs(matched) ** 2 / len(h)
    return sine, distance, power


def plot_polar_spectrum(axes, h, array, floor_db=-25.0, title="", **grid):
    """Draw :func:`polar_spectrum` in dB below its peak; returns the image, for a colour bar."""
    sine, distance, power = polar_spectrum(h, array, **grid)
    level = 10 * np.log10(np.maximum(power / max(np.max(power), 1e-30), 1e-30))
    # Rows are uniform in the curvature 1 / distance, in which the array resolves.
    image = axes.pcolormesh(
        sine, 1 / distance, level, vmin=floor_db, vmax=0, cmap="magma", shading="nearest", rasterized=True
    )
    rayleigh = array.rayleigh_distance()
    if distance[0] < rayleigh < distance[-1]:
        axes.axhline(1 / rayleigh, color="white", linestyle="--", linewidth=1)
        inside = dict(xycoords=("axes fraction", "data"), textcoords="offset points", color="white", fontsize=8)
        axes.annotate(f"Rayleigh distance {rayleigh:.3g} m", (0.02, 1 / rayleigh), (0, 3), **inside)
    ticks = _spread_ticks(distance[0], distance[-1])
    axes.set_yticks(1 / ticks, [f"{tick:g}" for tick in ticks])
    axes.set_ylim(1 / distance[-1], 1 / distance[0])
    axes.set(title=title, xlabel="sine of the angle from the normal", ylabel="distance (m), uniform in its inverse")
    return image


def _spread_ticks(low, high):
    """Round numbers from ``low`` to ``high`` whose inverses do not crowd."""
    decades = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    chosen = []
    for value in np.outer(decades, (1, 1.5, 2, 3, 5, 7)).ravel():
        if low <= value <= high and (not chosen or 1 / chosen[-1] - 1 / value > 0.06 * (1 / low - 1 / high)):
            chosen.append(float(f"{value:.3g}"))
    return np.array(chosen)


def plot_delay_angle(axes, paths, angle="azimuth", floor_db=-40.0, title=""):
    """Scatter of the paths over excess delay in ns and ``angle`` ("azimuth" or "elevation") in degrees.

    Delays count from the first path of each channel; colour and size show the power below the strongest path.
    Returns the collection, for a colour bar.
    """
    excess, degrees, power = _delays_and_angles(paths, angle)
    level = 10 * np.log10(np.maximum(power / max(np.max(power, initial=0), 1e-300), 1e-300))
    strong = np.flatnonzero(level >= floor_db)
    strong = strong[np.argsort(level[strong])]
    level = level[strong]
    points = axes.scatter(
        excess[strong], degrees[strong], c=level, s=16 + 60 * (1 - level / floor_db), cmap="viridis_r",
        vmin=floor_db, vmax=0, edgecolors="black", linewidths=0.4,
    )
    _label_delay_angle(axes, angle, degrees, title)
    axes.grid(alpha=0.3)
    axes.set_axisbelow(True)
    return points


def plot_delay_angle_density(axes, paths, angle="azimuth", bins=(60, 60), floor_db=-40.0, title=""):
    """Heat map of the mean power of many channels over excess delay and ``angle``, in dB below its peak.

    Arguments and axes of :func:`plot_delay_angle`; returns the image, for a colour bar.
    """
    excess, degrees, power = _delays_and_angles(paths, angle)
    strong = power >= 10 ** (0.1 * floor_db) * np.max(power, initial=0)
    longest = max(np.max(excess[strong], initial=0) * 1.02, 1e-3)
    area = [(0, longest), _angle_limits(angle, degrees)]
    density, delays, angles = np.histogram2d(excess, degrees, bins, area, weights=power)
    level = 10 * np.log10(np.maximum(density.T / max(np.max(density), 1e-300), 1e-300))
    level[level < floor_db] = np.nan
    image = axes.pcolormesh(delays, angles, level, cmap="viridis_r", vmin=floor_db, vmax=0, rasterized=True)
    _label_delay_angle(axes, angle, degrees, title)
    return image


def _delays_and_angles(paths, angle):
    """Excess delay in ns, angle in degrees and power of the paths with power, three float64 [n]."""
    if angle not in ("azimuth", "elevation"):
        raise ValueError(f'angle: expected "azimuth" or "elevation", got {angle!r}')
    power = path_power(paths)
    used = power > 0
    first = np.min(np.where(used, paths.delay, np.inf), axis=-1, keepdims=True)
    return ((paths.delay - first)[used] * 1e9, np.degrees(getattr(paths, angle))[used], power[used])


def _angle_limits(angle, degrees):
    """-180 to 180 for an azimuth; for an elevation, half of -90 to 90 where nothing lies in the other."""
    if angle == "azimuth":
        return -180.0, 180.0
    return (0.0 if np.min(degrees, initial=0.0) >= 0 else -90.0), 90.0


def _label_delay_angle(axes, angle, degrees, title):
    limits = _angle_limits(angle, degrees)
    axes.set(title=title, xlabel="excess delay (ns)", ylabel=f"{angle} (degrees)", ylim=limits)
    axes.set_yticks(np.linspace(*limits, 7))


def plot_frequency_response(axes, channels, frequencies, array, title=""):
    """Array gain over the band of beams matched at the band's centre, one line per subarray and one for all.

    A beam is the conjugate of a channel at the frequency nearest to the centre, as phase shifters realise it;
    its gain |w^H h(f)|^2 / (||w||^2 ||h(f)||^2) falls towards the edges by beam squint and by delay spread.
    The lines are labelled; ``axes.legend()`` shows what they are. At most eight subarrays are drawn.

    Args:
        channels: complex [F, N], one user's.
        frequencies: float64 [F] in Hz.
        array: the :class:`SubarrayArray`.
    """
    channels, frequencies = np.asarray(channels), np.asarray(frequencies, float)
    if channels.shape != (len(np.atleast_1d(frequencies)), array.n_antennas):
        raise ValueError(
            f"channels: expected shape ({np.size(frequencies)}, {array.n_antennas}) for these frequencies and array, "
            f"got {channels.shape}"
        )
    offset = (frequencies - array.carrier_frequency) / 1e9
    parts = channels.reshape(len(channels), array.n_subarrays, -1)
    for s in range(min(array.n_subarrays, 8)):
        colour = COLOURS[s % 6]
        axes.plot(offset, _matched_gain(parts[:, s]), color=colour, linewidth=1.2, label=f"subarray {s}")
    if array.n_subarrays > 1:
        axes.plot(offset, _matched_gain(channels), color="black", linewidth=2, label="whole array")
    axes.set(
        title=title,
        xlabel=f"offset from {array.carrier_frequency / 1e9:g} GHz (GHz)",
        ylabel="gain of the beam for the centre (dB)",
    )
    axes.grid(alpha=0.3)


def _matched_gain(h):
    beam = h[len(h) // 2]
    norm = np.linalg.norm(beam) * np.linalg.norm(h, axis=-1)
    return 20 * np.log10(np.maximum(np.abs(h @ beam.conj()) / np.where(norm > 0, norm, 1), 1e-3))


def _by_kind(paths, values, floor_db):
    """(kind, values, level in dB) of the paths that are used, strong enough, and of one kind."""
    power = path_power(paths)
    level = 10 * np.log10(np.maximum(power / max(np.max(power), 1e-300), 1e-300))
    for kind in (PathKind.DIFFUSE, PathKind.CLUSTERED, PathKind.REFLECTED, PathKind.LINE_OF_SIGHT):
        chosen = (np.asarray(paths.kind) == kind) & (level >= floor_db)
        if np.any(chosen):
            yield kind, values[chosen], level[chosen]


def _outlines(array):
    """Corners of the subarrays in the array's frame in m, [S, 5, 3]."""
    elements = array.element_positions()
    low, high = elements[:, 0, 0], elements[:, -1, -1]
    corners = [(low[:, 0], low[:, 1]), (high[:, 0], low[:, 1]), (high[:, 0], high[:, 1]), (low[:, 0], high[:, 1])]
    flat = np.stack([np.stack(corner, axis=-1) for corner in (*corners, corners[0])], axis=1)
    return np.concatenate([flat, np.zeros_like(flat[..., :1])], axis=-1)
