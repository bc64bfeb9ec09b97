# SPDX-License-Identifier: GPL-3.0-or-later
"""``thzum channel plot`` and ``thzum channel absorption``."""

from pathlib import Path

import numpy as np


def add_plot_arguments(parser):
    """Arguments of ``thzum channel plot``."""
    parser.add_argument("file", help="file of channels")
    parser.add_argument("--what", required=True, choices=sorted(_FIGURES), help="what to draw")
    parser.add_argument("--out", required=True, help="picture to write: .png, .svg or .pdf")
    parser.add_argument("--index", type=int, default=0, help="channel in the batch (default 0)")
    parser.add_argument("--user", type=int, default=0, help="user of that channel (default 0)")


def add_absorption_arguments(parser):
    """Arguments of ``thzum channel absorption``."""
    default = ("p676", "kokkoniemi100", "kokkoniemi275")
    parser.add_argument("--model", action="append", help=f"model; may be repeated (default: {', '.join(default)})")
    parser.add_argument("--from", dest="low", type=float, default=100e9, help="lowest frequency in Hz (default 1e11)")
    parser.add_argument("--to", dest="high", type=float, default=1e12, help="highest frequency in Hz (default 1e12)")
    parser.add_argument("--out", required=True, help="picture to write: .png, .svg or .pdf")
    parser.set_defaults(default_models=default)


def run_plot(options):
    """Draw one figure of a file of channels."""
    from ..channel import ChannelBatch
    from ..plots import new_figure

    _check_picture(options.out)
    batch = ChannelBatch.load(options.file)
    _check_index("--index", options.index, len(batch))
    _check_index("--user", options.user, batch.n_users or 1)
    array = batch.configuration().build().array
    size, draw = _FIGURES[options.what]
    figure = new_figure(*size)
    draw(figure, batch, array, options)
    figure.savefig(options.out, dpi=110, bbox_inches="tight")
    print(options.out)


def run_absorption(options):
    """Draw absorption against frequency."""
    from ..channel.absorption import plot_absorption

    _check_picture(options.out)
    if not 0 < options.low < options.high:
        raise ValueError(f"--from, --to: expected 0 < from < to in Hz, got {options.low:g}, {options.high:g}")
    frequency = np.linspace(options.low, options.high, 4001)
    figure = plot_absorption(frequency, options.model or options.default_models)
    figure.savefig(options.out, dpi=110, bbox_inches="tight")
    print(options.out)


def _check_picture(path):
    if Path(path).suffix.lower() not in (".png", ".svg", ".pdf"):
        raise ValueError(f"--out: expected a name ending in .png, .svg or .pdf, got {path!r}")
    if not Path(path).absolute().parent.is_dir():
        raise ValueError(f"--out: expected an existing folder, got {str(Path(path).parent)!r}")


def _check_index(name, value, count):
    if not 0 <= value < count:
        raise ValueError(f"{name}: expected 0 to {count - 1}, got {value}")


def _chosen(batch, options):
    """Channel [N] or [F, N] and paths [L] of the channel and user asked for."""
    where = (options.index,) if batch.n_users is None else (options.index, options.user)
    return batch.channels[where], batch.paths[where]


def _at_centre(batch, options):
    h, _ = _chosen(batch, options)
    return h if batch.frequencies is None else h[len(h) // 2]


def _draw_geometry(figure, batch, array, options):
    from ..channel import figures

    paths = batch.paths[options.index]
    titles = {
        "xz": "along the columns and the normal",
        "yz": "along the rows and the normal",
        "xy": "along the columns and the rows",
    }
    for k, (plane, title) in enumerate(titles.items()):
        figures.plot_geometry(figure.add_subplot(2, 2, k + 1), array, paths, plane, title=title)
    figures.plot_geometry(figure.add_subplot(2, 2, 4, projection="3d"), array, paths)
    _legend_below(figure)


def _legend_below(figure):
    """One legend for all axes, under them."""
    figure.tight_layout(rect=(0, 0.4 / figure.get_figheight(), 1, 1))
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=min(len(labels), 9), frameon=False)


def _draw_angular(figure, batch, array, options):
    from ..plots import plot_angular_spectrum

    h = _at_centre(batch, options).reshape(array.n_subarrays, array.rows, array.cols)
    shown = min(array.n_subarrays, 16)
    cols = int(np.ceil(np.sqrt(shown)))
    grid = figure.subplots(-(-shown // cols), cols, squeeze=False, sharex=True, sharey=True)
    for s, axes in enumerate(grid.ravel()):
        if s < shown:
            image = plot_angular_spectrum(axes, h[s], array.spacing, title=f"subarray {s}")
            axes.label_outer()
        else:
            axes.set_visible(False)
    figure.colorbar(image, ax=grid, label="power below the peak (dB)")


def _draw_polar(figure, batch, array, options):
    from ..channel import figures

    _, paths = _chosen(batch, options)
    azimuth = float(paths.azimuth[_strongest(paths)])
    axes = figure.subplots()
    title = f"plane of the strongest path, azimuth {np.degrees(azimuth):.0f} degrees"
    image = figures.plot_polar_spectrum(axes, _at_centre(batch, options), array, azimuth=azimuth, title=title)
    figure.colorbar(image, ax=axes, label="power below the peak (dB)")


def _draw_delay_angle(figure, batch, array, options):
    from ..channel import figures

    axes = figure.subplots(2, 2, sharex=True)
    figure.tight_layout(w_pad=3, rect=(0, 0, 0.97, 1))
    for column, angle in enumerate(("azimuth", "elevation")):
        title = f"paths of channel {options.index}" + ("" if batch.n_users is None else ", all users")
        points = figures.plot_delay_angle(axes[0, column], batch.paths[options.index], angle, title=title)
        title = f"mean power of {len(batch)} channels"
        image = figures.plot_delay_angle_density(axes[1, column], batch.paths, angle, title=title)
        axes[0, column].set_xlabel("")
    figure.colorbar(points, ax=axes[0], label="below the strongest (dB)")
    figure.colorbar(image, ax=axes[1], label="below the peak (dB)")


def _draw_frequency(figure, batch, array, options):
    from ..channel import figures, response
    from ..channel.path_tables import places

    if batch.frequencies is None:
        raise ValueError("--what frequency: expected channels with a frequency axis; sample with frequencies")
    h, paths = _chosen(batch, options)
    alone = response(array, places(paths, [_strongest(paths)]), batch.frequencies, resolution="element")
    left, right = figure.subplots(1, 2)
    figures.plot_frequency_response(left, h, batch.frequencies, array, title="all paths")
    figures.plot_frequency_response(right, alone, batch.frequencies, array, title="strongest path alone: beam squint")
    right.set_ylabel("")
    _legend_below(figure)


def _draw_overview(figure, batch, array, options):
    from ..channel import figures
    from ..plots import plot_angular_spectrum

    h, paths = _at_centre(batch, options), batch.paths[options.index]
    _, own = _chosen(batch, options)
    geometry, angular, polar, delay = figure.subplots(2, 2).ravel()
    figures.plot_geometry(geometry, array, paths, title="users and sources")
    geometry.legend(frameon=False, fontsize=8)
    first = h.reshape(array.n_subarrays, array.rows, array.cols)[0]
    image = plot_angular_spectrum(angular, first, array.spacing, title="angular spectrum of subarray 0")
    figure.colorbar(image, ax=angular, label="below the peak (dB)")
    azimuth = float(own.azimuth[_strongest(own)])
    title = f"whole array, azimuth {np.degrees(azimuth):.0f} degrees"
    image = figures.plot_polar_spectrum(polar, h, array, azimuth=azimuth, title=title)
    figure.colorbar(image, ax=polar, label="below the peak (dB)")
    points = figures.plot_delay_angle(delay, paths, title="paths")
    figure.colorbar(points, ax=delay, label="below the strongest (dB)")
    figure.tight_layout()


def _strongest(paths):
    """Place of the strongest path of a table [L]."""
    from ..channel.statistics import path_power

    return int(np.argmax(path_power(paths)))


_FIGURES = {
    "geometry": ((11.0, 9.0), _draw_geometry),
    "angular": ((9.0, 7.5), _draw_angular),
    "overview": ((12.0, 9.0), _draw_overview),
    "polar": ((9.0, 5.0), _draw_polar),
    "delay-angle": ((11.0, 7.5), _draw_delay_angle),
    "frequency": ((12.0, 4.5), _draw_frequency),
}
