# SPDX-License-Identifier: GPL-3.0-or-later
"""Accuracy against time per estimate, one thread, beside our PyTorch rendering of the published network."""

import time

import numpy as np
import torch
from published_network import PublishedEstimator
from speed import best_times

from gnuradio import thzum
from gnuradio.thzum import plots

PRESET = "thz300_aosa4x256"
SNR_DB = 10
CHANNELS = 64
#: NMSE in dB of the published network by SNR: what "at its accuracy" means.
PUBLISHED_DB = {0: -10.1, 5: -13.6, 10: -17.0, 15: -20.8, 20: -24.1}
PUBLISHED_NMSE_DB = PUBLISHED_DB[SNR_DB]
PUBLISHED_ITERATIONS = 15
#: Families that are also measured at every SNR.
OVER_SNR = ("newtonized_omp, free gains", "newtonized_omp, coherent")


def settings(array):
    """The settings on the curve: {family: [(label, estimator, options)]}."""
    fast, fewest, default, most = (dict(steps=a, final_steps=b) for a, b in ((0, 1), (1, 1), (2, 4), (3, 8)))
    effort = ((4, fewest), (8, default), (16, default), (32, most))

    def steps(k):
        return f"{k['steps']}+{k['final_steps']} steps"

    return {
        "omp": [(f"{n} x oversampled", "omp", dict(oversampling=n)) for n in (1, 2, 4)],
        "newtonized_omp, free gains": [
            (f"{steps(k)}, 6 paths", "newtonized_omp", dict(max_paths=6, **k))
            for k in (dict(steps=0, final_steps=0), fast)
        ]
        + [(steps(k), "newtonized_omp", k) for k in (fewest, default, most)],
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
    "times_faster"}]}, "over_snr": {family: what over_snr() gives}}. Times are of this thread. The published
    network's NMSE is its authors' figure. ``families`` are those to measure, by default all.
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
                [in_pytorch, single, lambda: batched.estimate(y, noise_var)],
                [1, channels // 2, 1],
                rounds=rounds,
                clock=time.thread_time,
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
        over_snr={family: over_snr(model, op, curves[family], channels, rounds) for family in OVER_SNR},
    )


def over_snr(model, op, settings, channels, rounds):
    """{setting: {SNR in dB: {"nmse_db", "ms"}}}, a call per channel; the h of all SNRs are the same."""
    h, rows = model.sample(channels, seed=9), {}
    for label, name, options in settings:
        estimator = thzum.estimator(name, op, max_batch=1, **options)
        for snr_db in PUBLISHED_DB:
            noise_var = np.float32(10 ** (-snr_db / 10))
            y = _noisy(op, h, noise_var, 3)
            single = _OneByOne(estimator, y, noise_var)
            (seconds,) = best_times([single], [channels // 2], rounds, time.thread_time)
            h_hat = np.concatenate([estimator.estimate(one, noise_var)[0].reshape(1, -1) for one in y])
            error = dict(nmse_db=float(thzum.metrics.nmse_db(h_hat, h)), ms=1e3 * seconds)
            rows.setdefault(label, {})[snr_db] = error
    return rows


def fastest(curves, nmse_db):
    """The setting with the shortest time among those that reach ``nmse_db``, or None."""
    good = [dict(family=f, **p) for f, points in curves.items() for p in points if p["nmse_db"] <= nmse_db]
    return min(good, key=lambda point: point["ms"], default=None)


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


def report(results):
    """The points as a table, and the fastest at the accuracy of the published network."""
    lines = [f"  {'':46}{'NMSE in dB':>11}{'ms':>9}{'batched':>9}{'times faster':>14}"]
    for family, points in results["curves"].items():
        for p in points:
            label = f"{family}, {p['setting']}" if p["setting"] else family
            lines.append(f"  {label:46}{p['nmse_db']:11.2f}{p['ms']:9.3f}{p['batched_ms']:9.3f}{p['times_faster']:14.1f}")
    published, best = results["published"], results["fastest_at_published_accuracy"]
    lines.append(f"  {'published network, PyTorch':46}{published['nmse_db']:11.2f}{published['ms']:9.3f}")
    if best:
        lines.append(f"  fastest at {published['nmse_db']} dB: {best['family']}, {best['setting']}: {best['ms']:.3f} ms")
    for family, rows in results["over_snr"].items():
        title = f"{family}: NMSE in dB (us)"
        lines.append(f"\n  {title:46}" + "".join(f"{snr:>6} dB     " for snr in PUBLISHED_DB))
        for label, row in rows.items():
            cells = "".join(f"{p['nmse_db']:8.1f} ({1e3 * p['ms']:4.0f})" for p in row.values())
            lines.append(f"  {label:46}{cells}")
    lines.append(f"  {'published network':46}" + "".join(f"{value:8.1f}       " for value in PUBLISHED_DB.values()))
    return "\n".join(lines)


def figures(results, folder):
    """accuracy_time.svg and .png in ``folder``."""
    figure = plots.new_figure(8.0, 6.0)
    plot(results, figure.add_subplot())
    figure.tight_layout()
    for suffix in ("svg", "png"):
        figure.savefig(folder / f"accuracy_time.{suffix}", dpi=120)
