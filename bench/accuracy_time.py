#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accuracy against time per estimate, and cost against the size of the array, one thread.

``./run exec python3 bench/accuracy_time.py --png FILE --scaling-png FILE`` draws both.
"""

import argparse
import json

import numpy as np
import torch
from published_network import PublishedEstimator
from speed import best_times

from gnuradio import thzum
from gnuradio.thzum import plots
from gnuradio.thzum.array import SubarrayArray

PRESET = "thz300_aosa4x256"
SNR_DB = 10.0
CHANNELS = 64
#: NMSE in dB at SNR_DB and time of the published network: what "at its accuracy" means.
PUBLISHED_NMSE_DB = -17.0
PUBLISHED_ITERATIONS = 15


def settings(array):
    """The settings on the curve: {family: [(label, estimator, options)]}."""
    fewest, default, most = (dict(steps=a, final_steps=b) for a, b in ((1, 1), (2, 4), (3, 8)))
    effort = ((4, fewest), (8, default), (16, default), (32, most))

    def steps(k):
        return f"{k['steps']}+{k['final_steps']} steps"

    return {
        "omp": [(f"{n} x oversampled", "omp", dict(oversampling=n)) for n in (1, 2, 4)],
        "newtonized_omp, free gains": [
            (steps(k), "newtonized_omp", k) for k in (dict(steps=0, final_steps=0), fewest, default, most)
        ],
        "newtonized_omp, coherent": [
            (f"{steps(k)}, {c} candidates", "newtonized_omp", dict(candidates=c, array=array, **k)) for c, k in effort
        ],
        "polar_omp": [("on the grid", "polar_omp", dict(array=array))],
        "oamp": [(f"{n} iterations", "oamp", dict(max_iterations=n, tolerance=0.0)) for n in (1, 2, 4)],
        "fpn_oamp": [
            (f"{n} iterations", "fpn_oamp", dict(max_iterations=n, tolerance=0.0)) for n in (1, 2, 3, 4, 5, 6)
        ],
        "auto": [("", "auto", dict(array=array))],
    }


def _noisy(op, h, noise_var, seed):
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((2, len(h), op.n_observations)) * np.sqrt(noise_var / 2)
    return (op.measure(h) + noise[0] + 1j * noise[1]).astype(np.complex64)


class _OneByOne:
    """Estimates of one channel after the other, a call at a time."""

    def __init__(self, estimator, y, noise_var):
        self.estimator, self.y, self.noise_var, self.at = estimator, y, noise_var, -1

    def __call__(self):
        self.at = (self.at + 1) % len(self.y)
        self.estimator.estimate(self.y[self.at], self.noise_var)


def measure(reference_path=None, channels=CHANNELS, rounds=2, families=None):
    """NMSE and milliseconds per estimate of every setting, beside the published network rendered in PyTorch.

    Nominal channels at 10 dB, Hadamard combiner, half as many observations as antennas; ``reference_path`` is not
    read. Returns {"published": {"ms", "nmse_db"}, "curves": {family: [{"setting", "nmse_db", "ms", "batched_ms",
    "times_faster"}]}}. The published network's NMSE is its authors' figure. ``families`` are those to measure, by
    default all.
    """
    torch.set_num_threads(1)
    model = thzum.channel.preset(PRESET)
    op = thzum.pilot_operator.hadamard(n_subarrays=4, rows=16, cols=16, n_slots=128, seed=1)
    h, noise_var = model.sample(channels, seed=9), np.float32(10 ** (-SNR_DB / 10))
    y = _noisy(op, h, noise_var, 3)
    published, observation = PublishedEstimator(), torch.randn(2 * op.n_observations)

    def in_pytorch():
        published.estimate(observation, PUBLISHED_ITERATIONS)

    curves, found = settings(model.array), {}
    for family in families or curves:
        found[family] = []
        for label, name, options in curves[family]:
            single = _OneByOne(thzum.estimator(name, op, max_batch=1, **options), y, noise_var)
            batched = thzum.estimator(name, op, max_batch=channels, **options)
            nmse_db = float(thzum.metrics.nmse_db(batched.estimate(y, noise_var)[0], h))
            # In turns, so that a machine that slows down does so for both.
            seconds = best_times(
                [in_pytorch, single, lambda: batched.estimate(y, noise_var)], [1, channels // 2, 1], rounds=rounds
            )
            found[family].append(
                dict(
                    setting=label,
                    nmse_db=nmse_db,
                    ms=1e3 * seconds[1],
                    batched_ms=1e3 * seconds[2] / channels,
                    published_ms=1e3 * seconds[0],
                    times_faster=seconds[0] / seconds[1],
                )
            )
    every = [point for points in found.values() for point in points]
    return dict(
        published=dict(ms=min(point["published_ms"] for point in every), nmse_db=PUBLISHED_NMSE_DB),
        curves=found,
        fastest_at_published_accuracy=fastest(found, PUBLISHED_NMSE_DB),
    )


def fastest(curves, nmse_db):
    """The setting with the shortest time among those that reach ``nmse_db``, or None."""
    good = [dict(family=f, **p) for f, points in curves.items() for p in points if p["nmse_db"] <= nmse_db]
    return min(good, key=lambda point: point["ms"], default=None)


#: Subarrays of 16 x 16 in rectangles as square as may be.
LAYOUTS = {1: (1, 1), 2: (1, 2), 4: (2, 2), 8: (2, 4), 16: (4, 4), 32: (4, 8), 64: (8, 8)}
SCALED = {"ls": {}, "omp": {}, "newtonized_omp": {}, "oamp": {}, "fpn_oamp": dict(max_iterations=4, tolerance=0.0)}


def scaling(reference_path=None, sizes=tuple(LAYOUTS), rounds=2):
    """Milliseconds per estimate as the array grows by more subarrays: {"antennas": [], "ms": {estimator: []}}.

    Estimators that neither invert nor factor anything as long as the array when they run. One that cannot serve a
    size, such as a network that was exported for fewer subarrays, has None there.
    """
    noise_var, table = np.float32(10 ** (-SNR_DB / 10)), dict(antennas=[], ms={name: [] for name in SCALED})
    base = thzum.channel.preset(PRESET)
    for size in sizes:
        rows, cols = LAYOUTS[size]
        array = SubarrayArray(rows, cols, 16, 16, carrier_frequency=300e9, spacing=base.array.spacing, gap=56.0)
        model = thzum.channel.HybridFieldChannel(
            array,
            base.n_paths,
            base.los_distance,
            base.scatterer_distance,
            base.delay_spread,
            base.refractive_index,
            base.surface_roughness,
        )
        op = thzum.pilot_operator.hadamard(n_subarrays=size, rows=16, cols=16, n_slots=128, seed=1)
        y = _noisy(op, model.sample(4, seed=2), noise_var, 4)
        table["antennas"].append(op.n_antennas)
        for name, options in SCALED.items():
            try:
                single = _OneByOne(thzum.estimator(name, op, max_batch=1, **options), y, noise_var)
            except ValueError:
                table["ms"][name].append(None)
                continue
            (seconds,) = best_times([single], [len(y)], rounds=rounds)
            table["ms"][name].append(1e3 * seconds)
    return table


def plot(results, axes):
    """Draw NMSE against time per estimate of :func:`measure`; the settings of a family are joined."""
    for k, (family, points) in enumerate(results["curves"].items()):
        points = sorted(points, key=lambda point: point["ms"])
        colour = plots.COLOURS[k % len(plots.COLOURS)]
        nmse_db = [point["nmse_db"] for point in points]
        axes.plot([p["ms"] for p in points], nmse_db, "o-", color=colour, label=family)
        axes.plot([p["batched_ms"] for p in points], nmse_db, "x:", color=colour, alpha=0.6)
    published = results["published"]
    axes.plot([published["ms"]], [published["nmse_db"]], "k*", markersize=12, label="published network, PyTorch")
    axes.set_xscale("log")
    axes.set_xlabel("ms per estimate, one thread (dotted: in batches)")
    axes.set_ylabel(f"NMSE in dB at {SNR_DB:g} dB SNR")
    axes.grid(True, which="both", alpha=0.3)
    axes.legend(fontsize=8)


def plot_scaling(table, axes):
    """Draw time per estimate against the number of antennas of :func:`scaling`."""
    for k, (name, row) in enumerate(table["ms"].items()):
        known = [(n, ms) for n, ms in zip(table["antennas"], row) if ms is not None]
        if known:
            axes.loglog(*zip(*known), "o-", color=plots.COLOURS[k], label=name)
    axes.set_xlabel("antennas")
    axes.set_ylabel("ms per estimate, one thread")
    axes.grid(True, which="both", alpha=0.3)
    axes.legend()


def _draw(path, draw, results):
    figure = plots.new_figure(8.0, 6.0)
    draw(results, figure.add_subplot())
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--png", metavar="FILE", help="accuracy against time")
    parser.add_argument("--scaling-png", metavar="FILE", help="time against the number of antennas")
    options = parser.parse_args()
    if not (options.png or options.scaling_png):
        parser.error("--png, --scaling-png: expected at least one of both")
    for path, run, draw in ((options.png, measure, plot), (options.scaling_png, scaling, plot_scaling)):
        if path:
            results = run()
            print(json.dumps(results, indent=1))
            _draw(path, draw, results)


if __name__ == "__main__":
    main()
