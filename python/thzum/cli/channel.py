# SPDX-License-Identifier: GPL-3.0-or-later
"""``thzum channel``: presets, configurations, samples, statistics and pictures of channels."""

import json
import sys

import numpy as np

from . import channel_figures
from .settings import add_source, chosen_config


def add_parser(subparsers):
    """Add the subcommand ``channel`` with its own subcommands."""
    parser = subparsers.add_parser("channel", help="channels: presets, sampling, statistics, figures")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, text, add, run in (
        ("presets", "list the presets", _no_arguments, run_presets),
        ("show", "check a configuration and print it with what follows from it", _show_arguments, run_show),
        ("sample", "draw channels into a file", _sample_arguments, run_sample),
        ("stats", "print statistics of a file of channels", _stats_arguments, run_stats),
        ("plot", "draw a figure of a file of channels", channel_figures.add_plot_arguments, channel_figures.run_plot),
        (
            "absorption",
            "draw molecular absorption against frequency",
            channel_figures.add_absorption_arguments,
            channel_figures.run_absorption,
        ),
    ):
        command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        add(command)
        command.set_defaults(run=run)


def _no_arguments(parser):
    pass


def _show_arguments(parser):
    add_source(parser)
    parser.add_argument(
        "--format",
        choices=("text", "yaml", "json"),
        default="text",
        help="yaml and json print the whole configuration with every default, to start a file from",
    )


def _sample_arguments(parser):
    add_source(parser)
    parser.add_argument("--batch", type=int, help="number of channels (default: the configuration's)")
    parser.add_argument("--seed", type=int, help="seed (default: the configuration's)")
    parser.add_argument("--out", required=True, help="file to write: .npz, .h5 or .hdf5")


def _stats_arguments(parser):
    parser.add_argument("file", help="file of channels")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run_presets(options):
    """Print a line for each preset."""
    from ..channel import preset, presets

    width = max(len(name) for name in presets())
    for name in presets():
        print(f"{name:{width}}  {_described(preset(name).array)}")


def run_show(options):
    """Print a configuration."""
    config = chosen_config(options)
    if options.format == "json":
        print(json.dumps(config.to_dict(), indent=2))
    elif options.format == "yaml":
        print(_as_yaml(config.to_dict()), end="")
    else:
        for name, value in _facts(config):
            print(f"{name:24} {value}")


def run_sample(options):
    """Draw channels and write them, a piece at a time."""
    from tqdm import tqdm

    from ..channel.batch import save_pieces
    from ..channel.batch_files import check_target
    from ..channel.sampling import draw_pieces

    check_target(options.out)
    changes = {name: getattr(options, name) for name in ("batch", "seed") if getattr(options, name) is not None}
    config = chosen_config(options).replace(**changes)
    # Without a terminal (None) there is no bar.
    with tqdm(total=config.batch, unit="channel", disable=None, file=sys.stderr) as bar:

        def counted():
            for piece in draw_pieces(config):
                yield piece
                bar.update(len(piece))

        save_pieces(options.out, config.batch, counted())
    print(f"{options.out}: {'x'.join(map(str, _shape(config)))} complex64, seed {config.seed}")


def run_stats(options):
    """Print the statistics of a file."""
    from ..channel import ChannelBatch, statistics

    batch = ChannelBatch.load(options.file)
    found = statistics.summary(batch)
    if options.json:
        print(json.dumps(found, indent=2))
        return
    print(f"{options.file}: {batch!r}")
    print(f"{'':32}{'mean':>10}{'median':>10}{'5 %':>10}{'95 %':>10}")
    for name, row in found.items():
        scale, unit = _scaled_unit(row)
        values = (row[key] for key in ("mean", "median", "low", "high"))
        cells = "".join(f"{'-' if v is None else format(v / scale, '.4g'):>10}" for v in values)
        infinite = f"  ({row['infinite']} infinite)" if row["infinite"] else ""
        print(f"{name.replace('_', ' '):32}{cells} {unit}{infinite}")


def _scaled_unit(row):
    """A power of 1000 that suits the median, and the unit with its prefix."""
    if row["unit"] in ("", "dB") or not row["median"]:
        return 1.0, row["unit"]
    power = int(np.clip(np.floor(np.log10(abs(row["median"])) / 3), -4, 4))
    return 10.0 ** (3 * power), ("p", "n", "µ", "m", "", "k", "M", "G", "T")[power + 4] + row["unit"]


def _described(array):
    text = f"{array.n_subarrays} x ({array.rows} x {array.cols}) antennas at {array.carrier_frequency / 1e9:g} GHz"
    return f"{text}, Rayleigh distance {array.rayleigh_distance():.3g} m"


def _facts(config):
    """(name, value) of what a configuration says and of what follows from it."""
    model = config.build()
    array, grid = model.array, config.frequencies
    aperture = " x ".join(f"{1e3 * extent:.4g}" for extent in array.element_positions()[-1, -1, -1])
    yield "array", f"{array.sub_rows} x {array.sub_cols} subarrays of {array.rows} x {array.cols} elements"
    yield "antennas, RF chains", f"{array.n_antennas}, {array.n_subarrays}"
    yield "carrier", f"{array.carrier_frequency / 1e9:g} GHz, wavelength {1e3 * array.wavelength:.4g} mm"
    yield "spacing", f"{array.spacing:g} wavelengths; between subarrays {array.gap:g}"
    yield "aperture (x, y)", f"{aperture} mm"
    yield "Rayleigh distance", f"{array.rayleigh_distance():.4g} m"
    settings = config.to_dict()["model"]
    for name, value in settings.get("scene", settings).items():
        if value is not None:
            yield ("scene " if "scene" in settings else "model ") + name.replace("_", " "), _inline(value)
    if grid is not None:
        low, high = grid.edges
        band = f"{low / 1e9:g} to {high / 1e9:g} GHz in {grid.subcarriers} subcarriers"
        yield "frequencies", f"{band} of {grid.spacing / 1e6:.4g} MHz"
    yield "users", "1, without an axis" if config.users is None else config.users
    yield "hardware", ", ".join(config.to_dict()["hardware"]) or "ideal"
    yield "normalised", "each channel to ||h||^2 = N" if config.normalise else "no"
    shape = _shape(config)
    yield "channels", f"{'x'.join(map(str, shape))} complex64, {8e-6 * float(np.prod(shape)):.4g} MB"
    yield "seed", config.seed


def _inline(value):
    """A setting on one line."""
    if not isinstance(value, dict):
        return value
    return ", ".join(f"{name} {_inline(inner)}" for name, inner in value.items() if inner not in (None, {}))


def _shape(config):
    users = () if config.users is None else (config.users,)
    grid = () if config.frequencies is None else (config.frequencies.subcarriers,)
    return (config.batch, *users, *grid, config.build().array.n_antennas)


def _as_yaml(plain):
    import yaml

    return yaml.safe_dump(plain, sort_keys=False, default_flow_style=None, width=100)
