# SPDX-License-Identifier: GPL-3.0-or-later
"""Robustness matrix: NMSE of the estimators where the model of a few clean paths holds, and where it breaks.

Channels come from the simulator with seeds that no training has used, combiners are drawn for each row anew,
and what is done to channels and pilots is written here on its own, so that a fault of the training data would
show. Run it as a script for the table, ``--figure FILE`` for the heat map.
"""

import argparse
import dataclasses
import zlib

import numpy as np

from gnuradio import thzum
from gnuradio.thzum.array import array_preset
from gnuradio.thzum.plots import new_figure

import as_json

PRESET = "thz300_aosa4x256"
FIRST_SEED = 10**6  # training draws its seeds below
ESTIMATORS = {
    "paths, free": ("newtonized_omp", False),
    "paths, coherent": ("newtonized_omp", True),
    "fpn_oamp": ("fpn_oamp", True),
    "auto": ("auto", True),
    "oamp": ("oamp", True),
    "lmmse": ("lmmse", True),
    "omp": ("omp", True),
}

CLUSTER_RAYS, CLUSTER_SPREAD_DEG = 20, 5.0
PHASE_ERROR_DEG = 5.0
OSCILLATOR_STEP_DEG = 0.5  # rms per slot: 5.7 degrees rms between the first and the last of 128 slots
ADC_BITS = 3
# Uniform quantiser of least mean square error for a Gaussian input of unit variance (Max, IRE Trans. Inf.
# Theory 1960): step by number of bits.
ADC_STEP = {1: 1.596, 2: 0.9957, 3: 0.5860, 4: 0.3352}
GAIN = 1000.0


@dataclasses.dataclass(frozen=True)
class Row:
    """One condition: how channels are drawn, and what happens to channels, pilots and the stated noise level.

    Attributes:
        draw: (model, count, rng) -> channels [count, N].
        array: changes of the array preset.
        disturb: (h [count, S, rows, cols], rng) -> the same with damage.
        receive: (y [count, S, Q], rng) -> pilots as they arrive.
        gain: amplitude in front of the receiver.
        stated_noise: stated over true noise variance.
        options: what the estimators are told beside.
    """

    draw: callable
    array: dict = dataclasses.field(default_factory=dict)
    disturb: callable = None
    receive: callable = None
    gain: float = 1.0
    stated_noise: float = 1.0
    options: dict = dataclasses.field(default_factory=dict)


def _model(array, **overrides):
    template = thzum.channel.preset(PRESET, **overrides)
    template.array = array
    return template


def _nominal(array, count, rng, **overrides):
    model = _model(array, **overrides)
    return model.response(model.draw_paths(count, rng))


def _with_paths(n_paths):
    return lambda array, count, rng: _nominal(array, count, rng, n_paths=n_paths)


def _far(array, count, rng):
    edge = array_preset(PRESET).rayleigh_distance()
    return _nominal(array, count, rng, scatterer_distance=(1.05 * edge, 2.5 * edge), los_distance=2.5 * edge)


def _near(array, count, rng):
    edge = array_preset(PRESET).rayleigh_distance()
    return _nominal(array, count, rng, scatterer_distance=(0.3 * edge, 0.95 * edge), los_distance=0.7 * edge)


def _clusters(array, count, rng):
    """Every path is a cluster of rays: Gaussian angles about its own, independent phases, equal powers."""
    model = _model(array)
    centre = model.draw_paths(count, rng)
    rays = {}
    for field in dataclasses.fields(centre):
        value = getattr(centre, field.name)
        if np.shape(value) == centre.shape:
            rays[field.name] = np.repeat(value, CLUSTER_RAYS, axis=1)
    spread = np.radians(CLUSTER_SPREAD_DEG)
    shape = rays["amplitude"].shape
    rays["amplitude"] = rays["amplitude"] / np.sqrt(CLUSTER_RAYS)
    for angle in ("elevation", "azimuth"):
        rays[angle] = rays[angle] + spread * rng.standard_normal(shape)
    rays["phase"] = rng.uniform(0, 2 * np.pi, shape)
    return model.response(dataclasses.replace(centre, **rays))


def _phase_errors(h, rng):
    """The same unknown error of every element in all channels, as of an array that is out of calibration."""
    return h * np.exp(1j * np.radians(PHASE_ERROR_DEG) * rng.standard_normal(h.shape[1:]))


def _half_blocked(h, rng):
    """Something stands before half of one subarray: its upper, lower, left or right one."""
    rows, cols = h.shape[2:]
    h = h.copy()
    for channel, subarray, side in zip(h, rng.integers(h.shape[1], size=len(h)), rng.integers(4, size=len(h))):
        half = (slice(rows // 2), slice(rows // 2, rows), slice(None), slice(None))[side]
        across = (slice(None), slice(None), slice(cols // 2), slice(cols // 2, cols))[side]
        channel[subarray, half, across] = 0
    return h


def _oscillators(y, rng):
    """A free-running oscillator per subarray: its phase walks from slot to slot."""
    steps = np.radians(OSCILLATOR_STEP_DEG) * rng.standard_normal(y.shape)
    return y * np.exp(1j * np.cumsum(steps, axis=-1))


def quantised(y, bits=ADC_BITS):
    """Pilots [..., Q] after mid-rise converters whose gain control sets each RF chain's rms to the best load."""
    sigma = np.sqrt(0.5 * np.mean(np.abs(y) ** 2, axis=-1, keepdims=True))
    step, top = ADC_STEP[bits] * sigma, 2 ** (bits - 1) - 0.5

    def level(x):
        return step * np.clip(np.floor(x / step) + 0.5, -top, top)

    return level(y.real) + 1j * level(y.imag)


def rows():
    """All conditions by name."""
    matrix = {
        "nominal": Row(_nominal),
        f"{CLUSTER_RAYS} rays a cluster": Row(_clusters),
        f"{PHASE_ERROR_DEG:g} deg phase errors": Row(_nominal, disturb=_phase_errors),
        "half a subarray blocked": Row(_nominal, disturb=_half_blocked),
        f"phase noise {OSCILLATOR_STEP_DEG:g} deg/slot": Row(_nominal, receive=_oscillators),
        f"{ADC_BITS}-bit converters": Row(_nominal, receive=lambda y, rng: quantised(y)),
        f"{ADC_BITS}-bit converters, told": Row(
            _nominal, receive=lambda y, rng: quantised(y), options=dict(adc_bits=ADC_BITS)
        ),
    }
    for n_paths in (1, 2, 3, 5, 8, 12):
        matrix[f"{n_paths} path" + "s" * (n_paths > 1)] = Row(_with_paths(n_paths))
    matrix.update(
        {
            "all far": Row(_far),
            "all near": Row(_near),
            "2 subarrays": Row(_nominal, array=dict(sub_rows=1)),
            "8 subarrays": Row(_nominal, array=dict(sub_rows=4)),
            "noise level +3 dB": Row(_nominal, stated_noise=2.0),
            "noise level -3 dB": Row(_nominal, stated_noise=0.5),
            f"gain x{GAIN:g}": Row(_nominal, gain=GAIN),
        }
    )
    return matrix


def pilots(name, row, count, snr_db=10.0, ratio=0.5):
    """Array, operator, true channels [count, N], received pilots [count, M] and the noise variance stated.

    Fresh antenna noise in every slot at ``snr_db`` over channels of unit power per antenna; ``ratio`` is M/N.
    """
    seed = FIRST_SEED + zlib.crc32(name.encode()) % FIRST_SEED
    rng = np.random.default_rng(seed)
    array = dataclasses.replace(array_preset(PRESET), **row.array)
    shape = (array.n_subarrays, array.rows, array.cols)
    n_slots = round(ratio * array.rows * array.cols)
    op = thzum.pilot_operator.hadamard(*shape, n_slots, seed=seed)
    h = np.asarray(row.draw(array, count, rng)).reshape(count, *shape)
    if row.disturb:
        h = row.disturb(h, rng)
    h = h.reshape(count, -1)
    h = (h * np.sqrt(h.shape[1]) / np.linalg.norm(h, axis=1, keepdims=True)).astype(np.complex64)
    noise_var = 10 ** (-snr_db / 10)
    y = op.measure(h)
    y = y + np.sqrt(noise_var / 2) * (rng.standard_normal(y.shape) + 1j * rng.standard_normal(y.shape))
    if row.receive:
        y = row.receive(y.reshape(count, shape[0], n_slots), rng).reshape(count, -1)
    stated = noise_var * row.stated_noise * row.gain**2
    return array, op, (row.gain * h).astype(np.complex64), (row.gain * y).astype(np.complex64), stated


def measure(count=200, snr_db=10.0, ratio=0.5, names=tuple(ESTIMATORS), only=None, model=""):
    """The matrix: {row: {estimator: {"nmse_db": ..., "predicted_minus_true_db": ...}}}.

    NMSE is the mean over the channels in dB; the second figure is the mean over channels of the estimate's
    own prediction less its true NMSE in dB, None where the estimator predicts nothing. ``model`` is a model
    file instead of the shipped one, ``only`` a selection of rows.
    """
    matrix = {}
    for name, row in rows().items():
        if only is not None and name not in only:
            continue
        array, op, h, y, stated = pilots(name, row, count, snr_db, ratio)
        matrix[name] = {}
        for label in names:
            algorithm, placed = ESTIMATORS[label]
            options = dict(array=array) if placed else dict(spacing=array.spacing)
            options.update(row.options)
            if model and algorithm in ("auto", "fpn_oamp"):
                options["model"] = str(model)
            h_hat, report = thzum.estimator(algorithm, op, **options).estimate(y, stated)
            nmse = thzum.metrics.nmse(h_hat, h)
            error = np.mean(report["predicted_nmse_db"] - 10 * np.log10(nmse))
            matrix[name][label] = dict(
                nmse_db=float(10 * np.log10(np.mean(nmse))),
                predicted_minus_true_db=float(error) if np.isfinite(error) else None,
            )
    return matrix


def behind(matrix, label="auto"):
    """By how many dB ``label`` is behind the best estimator of each row."""
    return {
        name: row[label]["nmse_db"] - min(entry["nmse_db"] for entry in row.values())
        for name, row in matrix.items()
    }


def table(matrix):
    """The matrix as text: NMSE in dB, behind it in brackets prediction minus truth."""
    labels = list(next(iter(matrix.values())))
    lines = [" " * 26 + "".join(f"{label:>17}" for label in labels)]
    for name, row in matrix.items():
        line = f"{name:26}"
        for label in labels:
            error = row[label]["predicted_minus_true_db"]
            bracket = "        " if error is None else f" ({error:+5.1f})"
            line += f"{row[label]['nmse_db']:9.2f}{bracket}"
        lines.append(line)
    return "\n".join(lines)


def plot(matrix, axes):
    """Heat map of the matrix on ``axes``: colours tell the distance to the best of the row, numbers the NMSE."""
    labels = list(next(iter(matrix.values())))
    nmse = np.array([[row[label]["nmse_db"] for label in labels] for row in matrix.values()])
    image = axes.imshow(nmse - nmse.min(axis=1, keepdims=True), vmin=0, vmax=6, cmap="cividis_r", aspect="auto")
    for (i, j), value in np.ndenumerate(nmse):
        dark = value - nmse[i].min() > 3
        axes.text(j, i, f"{value:.1f}", ha="center", va="center", color="white" if dark else "black", fontsize=8)
    axes.set_xticks(range(len(labels)), labels, rotation=25, ha="right")
    axes.set_yticks(range(len(matrix)), list(matrix))
    axes.set_title("NMSE in dB")
    axes.figure.colorbar(image, ax=axes, label="dB behind the best of the row")
    return image


def report(matrix):
    """The matrix as text, and how far ``auto`` is behind."""
    text = table(matrix)
    if all("auto" in row for row in matrix.values()):
        worst = max(behind(matrix).items(), key=lambda item: item[1])
        text += f"\n\n  auto is at most {worst[1]:.2f} dB behind the best, in the row '{worst[0]}'"
    return text


def figures(matrix, folder):
    """robustness.svg and .png in ``folder``."""
    figure = new_figure(10, 8)
    plot(matrix, figure.add_subplot())
    for suffix in ("svg", "png"):
        figure.savefig(folder / f"robustness.{suffix}", bbox_inches="tight", dpi=120)


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--channels", type=int, default=200, help="channels of each row (default: %(default)s)")
    parser.add_argument("--snr", type=float, default=10.0, help="in dB (default: %(default)s)")
    parser.add_argument("--ratio", type=float, default=0.5, help="M/N (default: %(default)s)")
    parser.add_argument("--model", default="", help="model file of the learned estimator instead of the shipped one")
    parser.add_argument("--figure", metavar="FILE", help="also draw the heat map")
    parser.add_argument("--json", metavar="FILE", help="also write the figures")
    options = parser.parse_args()
    matrix = measure(options.channels, options.snr, options.ratio, model=options.model)
    print(table(matrix))
    worst = max(behind(matrix).items(), key=lambda item: item[1])
    print(f"\nauto is at most {worst[1]:.2f} dB behind the best, in the row '{worst[0]}'")
    if options.figure:
        figure = new_figure(10, 8)
        plot(matrix, figure.add_subplot())
        figure.savefig(options.figure, bbox_inches="tight")
    as_json.save(matrix, options.json)


if __name__ == "__main__":
    main()
