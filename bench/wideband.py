# SPDX-License-Identifier: GPL-3.0-or-later
"""Wideband estimation: NMSE of joint and separate estimation of subcarriers over 30 GHz at 300 GHz.

Run it as a script for the table, ``--figure FILE`` for NMSE over the number of subcarriers.
"""

import argparse
import json
import time

import numpy as np

from gnuradio import thzum
from gnuradio.thzum.channel import preset, response
from gnuradio.thzum.channel.wideband import subcarrier_frequencies
from gnuradio.thzum.plots import COLOURS, new_figure

BANDWIDTH = 30e9
ROWS = 128  # pilot slots of a subarray, half of its elements
CHANNELS = {1: 40, 4: 20, 16: 10, 64: 6}


def _decibels(ratio):
    return round(float(10 * np.log10(ratio)), 2)


def _estimators(op, array, f):
    """{name: function of y [B, F, M] and the noise variance}."""
    carrier = array.carrier_frequency
    wide = dict(
        parametric_joint=("newtonized_omp", f, {}),
        parametric_free_gains=("newtonized_omp", f, dict(gains="free")),
        parametric_squint_ignored=("newtonized_omp", carrier + 1e-6 * (f - carrier), {}),
        learned_joint=("fpn_oamp", f, {}),
    )
    made = {
        key: thzum.wideband_estimator(name, op, grid, carrier, array=array, **options).estimate
        for key, (name, grid, options) in wide.items()
    }
    for key, name in (("parametric_separate", "newtonized_omp"), ("learned_separate", "fpn_oamp")):
        estimator = thzum.estimator(name, op, array=array)
        made[key] = lambda y, noise_var, e=estimator: e.estimate(
            y.reshape(-1, y.shape[-1]), noise_var
        )
    return made


def measure(counts=CHANNELS, seed=7):
    """{F: {SNR in dB: {estimator: {nmse_db, ms}}}}; ms is per channel of F subcarriers, of this thread's time."""
    model = preset("thz300_aosa4x256")
    array, rng = model.array, np.random.default_rng(seed)
    op = thzum.pilot_operator.hadamard(array.n_subarrays, array.rows, array.cols, ROWS, seed=11)
    results = {}
    for count, channels in counts.items():
        f = subcarrier_frequencies(array.carrier_frequency, BANDWIDTH, count)
        h = response(array, model.draw_paths(channels, rng), f)
        clean = op.measure(h.reshape(-1, array.n_antennas)).reshape(channels, count, -1)
        estimators = _estimators(op, array, f)
        for snr in (0, 10, 20):
            noise_var = 10 ** (-snr / 10)
            noise = rng.standard_normal((*clean.shape, 2), np.float32) @ np.array([1, 1j], np.complex64)
            y = clean + np.complex64(np.sqrt(noise_var / 2)) * noise
            row = results.setdefault(count, {}).setdefault(snr, {})
            for name, estimate in estimators.items():
                start = time.thread_time()
                h_hat = estimate(y, noise_var)[0].reshape(h.shape)
                took = time.thread_time() - start
                error, energy = (np.sum(np.abs(x) ** 2, axis=(-1, -2)) for x in (h_hat - h, h))
                row[name] = dict(nmse_db=_decibels(np.mean(error / energy)), ms=round(1e3 * took / channels, 2))
    return results


#: (estimator, label, colour, line style) of each curve.
CURVES = (
    ("parametric_joint", "newtonized_omp, together", 0, "-"),
    ("parametric_separate", "newtonized_omp, each alone", 0, "--"),
    ("parametric_squint_ignored", "newtonized_omp, together, squint ignored", 0, ":"),
    ("learned_joint", "fpn_oamp, together", 1, "-"),
    ("learned_separate", "fpn_oamp, each alone", 1, "--"),
)


def plot(results, axes, snr=10):
    """NMSE over the number of subcarriers at one SNR, of :func:`measure`'s results, on Matplotlib ``axes``."""
    counts = sorted(results)
    for key, label, colour, style in CURVES:
        values = [results[count][snr][key]["nmse_db"] for count in counts]
        axes.plot(counts, values, style, marker="os"[colour], color=COLOURS[colour], label=label)
    axes.set_xscale("log", base=2)
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.set_xlabel("subcarriers over 30 GHz")
    axes.set_ylabel("NMSE in dB")
    axes.set_title(f"{snr} dB at each subcarrier", fontsize=9)
    axes.grid(True, alpha=0.3)


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figure", metavar="FILE", help="also draw the curves")
    options = parser.parse_args()
    results = measure()
    print(json.dumps(results, indent=1))
    if options.figure:
        figure = new_figure(10, 4.5)
        panels = figure.subplots(1, 3, sharey=True)
        for axes, snr in zip(panels, next(iter(results.values()))):
            plot(results, axes, snr)
        panels[0].legend(fontsize=7)
        figure.tight_layout()
        figure.savefig(options.figure, dpi=120)


if __name__ == "__main__":
    main()
