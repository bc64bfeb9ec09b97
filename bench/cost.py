# SPDX-License-Identifier: GPL-3.0-or-later
"""Cost of an estimate as the array grows by more subarrays, and its exponent."""

import csv
import sys
import time

import numpy as np
from tqdm import tqdm

from gnuradio import thzum
from gnuradio.thzum import plots
from gnuradio.thzum.array import SubarrayArray

PRESET = "thz300_aosa4x256"
NOISE_VAR = np.float32(0.1)
ITERATIONS = dict(max_iterations=4, tolerance=0.0)  # as many everywhere, so that sizes compare
#: Subarrays of 16 x 16 in rectangles as square as may be.
LAYOUTS = {1: (1, 1), 2: (1, 2), 4: (2, 2), 8: (2, 4), 16: (4, 4), 32: (4, 8), 64: (8, 8)}
#: {label: (estimator, options, whether it is told where the subarrays are)}
ESTIMATORS = {
    "ls": ("ls", {}, False),
    "lmmse": ("lmmse", {}, False),
    "omp": ("omp", {}, False),
    "amp": ("amp", ITERATIONS, False),
    "oamp": ("oamp", ITERATIONS, False),
    "newtonized_omp, free gains": ("newtonized_omp", {}, False),
    "newtonized_omp, coherent": ("newtonized_omp", {}, True),
    "polar_omp": ("polar_omp", {}, True),
    "hybrid_omp": ("hybrid_omp", {}, True),
    "fpn_oamp": ("fpn_oamp", ITERATIONS, False),
    "auto": ("auto", {}, True),
}
LARGEST = 3  # sizes that the exponent is read off


def _array(layout):
    rows, cols = LAYOUTS[layout]
    base = thzum.channel.preset(PRESET)
    array = SubarrayArray(rows, cols, 16, 16, carrier_frequency=300e9, spacing=base.array.spacing, gap=56.0)
    base.array = array
    return array, base


def _thread_ms(estimator, y, rounds):
    """Best mean time of this thread per estimate, one at a time, in ms."""
    best = np.inf
    estimator.estimate(y[0], NOISE_VAR)
    for _ in range(rounds):
        begun = time.thread_time()
        for one in y:
            estimator.estimate(one, NOISE_VAR)
        best = min(best, (time.thread_time() - begun) / len(y))
    return 1e3 * best


def measure(reference_path=None, sizes=tuple(LAYOUTS), channels=4, rounds=2, labels=tuple(ESTIMATORS)):
    """Milliseconds of thread time per estimate: {"antennas": [], "ms": {label: []}, "exponent": {label}}.

    Batch one, Hadamard combiner with half as many observations as antennas, nominal channels at 10 dB SNR. An
    estimator that cannot serve a size, such as a network that was exported for fewer subarrays, has None there.
    The exponent is the slope of log(ms) over log(antennas) at the largest three sizes. ``reference_path`` is not
    read.
    """
    table = dict(antennas=[], ms={label: [] for label in labels})
    for size in tqdm(sizes, desc="cost", unit="sizes", file=sys.stderr):
        array, model = _array(size)
        op = thzum.pilot_operator.hadamard(n_subarrays=size, rows=16, cols=16, n_slots=128, seed=1)
        clean = op.measure(model.sample(channels, seed=2))
        noise = np.random.default_rng(4).standard_normal((*clean.shape, 2), np.float32).view(np.complex64)[..., 0]
        y = (clean + np.sqrt(NOISE_VAR / 2) * noise).astype(np.complex64)
        table["antennas"].append(op.n_antennas)
        for label in labels:
            name, options, placed = ESTIMATORS[label]
            place = dict(array=array) if placed else dict(spacing=array.spacing)
            try:
                estimator = thzum.estimator(name, op, max_batch=1, **options, **place)
            except ValueError:
                table["ms"][label].append(None)
                continue
            table["ms"][label].append(_thread_ms(estimator, y, rounds))
    table["exponent"] = {label: exponent(table["antennas"], row) for label, row in table["ms"].items()}
    return table


def exponent(antennas, ms, largest=LARGEST):
    """Slope of log(ms) over log(antennas) at the ``largest`` sizes that were served, None below two of them."""
    known = [(n, t) for n, t in zip(antennas, ms) if t is not None][-largest:]
    if len(known) < 2:
        return None
    n, t = np.log(known).T
    return float(np.polyfit(n, t, 1)[0])


def report(table):
    """The table as text: ms per number of antennas, and the exponent."""
    lines = [f"  {'antennas':28}" + "".join(f"{n:>9}" for n in table["antennas"]) + "   exponent"]
    for label, row in table["ms"].items():
        slope = table["exponent"][label]
        cells = "".join(f"{'-':>9}" if ms is None else f"{ms:9.3f}" for ms in row)
        lines.append(f"  {label:28}{cells}" + ("" if slope is None else f"{slope:11.2f}"))
    return "\n".join(lines)


def plot(table, axes):
    """Time per estimate against the number of antennas, both logarithmic; the legend tells the exponents."""
    for k, (label, row) in enumerate(table["ms"].items()):
        known = [(n, ms) for n, ms in zip(table["antennas"], row) if ms is not None]
        if not known:
            continue
        slope = table["exponent"][label]
        text = label if slope is None else f"{label}: $N^{{{slope:.2f}}}$"
        style = dict(color=plots.COLOURS[k % len(plots.COLOURS)], marker="os^vDPX*phd"[k % 11])
        axes.loglog(*zip(*known), linestyle="-" if k < len(plots.COLOURS) else "--", label=text, **style)
    axes.set_xscale("log", base=2)
    axes.set_xticks(table["antennas"], [f"{n}" for n in table["antennas"]])
    axes.set_xlabel("antennas N, in subarrays of 16 x 16")
    axes.set_ylabel("ms per estimate, one thread, batch one")
    axes.grid(True, which="both", alpha=0.3)
    axes.set_ylim(top=30 * axes.get_ylim()[1])  # room for the legend
    axes.legend(fontsize=8, loc="upper left", ncol=2)


def figures(table, folder):
    """cost_antennas.svg, .png and .csv in ``folder``."""
    figure = plots.new_figure(8.0, 5.5)
    plot(table, figure.add_subplot())
    figure.tight_layout()
    for suffix in ("svg", "png"):
        figure.savefig(folder / f"cost_antennas.{suffix}", dpi=120)
    with open(folder / "cost_antennas.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["antennas", *(f"{label} in ms" for label in table["ms"])])
        for k, n in enumerate(table["antennas"]):
            writer.writerow([n, *("" if row[k] is None else f"{row[k]:.4f}" for row in table["ms"].values())])
