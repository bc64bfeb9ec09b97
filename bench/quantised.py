# SPDX-License-Identifier: GPL-3.0-or-later
"""Pilots from converters of 1 to 4 bits: NMSE with the generalised linear step and without it.

Channels come from the simulator with seeds that no training has used; converters are the simulator's (mid-rise,
uniform, at the best load for a Gaussian input), one pair for each RF chain, whose gain control has settled on
the power of the chain's pilots. Run it as a script for the table, ``--figure FILE`` for the picture.
"""

import argparse
import time

import numpy as np

from gnuradio import thzum
from gnuradio.thzum.array import array_preset
from gnuradio.thzum.channel.hardware.converter import optimal_step
from gnuradio.thzum.plots import COLOURS, new_figure

import as_json

PRESET = "thz300_aosa4x256"
FIRST_CHANNEL = 1_500_000  # training draws its seeds below a million
ROWS = 128  # pilot slots of a subarray, half of its elements
SNRS_DB = (0, 5, 10, 15, 20)
BITS = (1, 2, 3, 4)
ESTIMATORS = ("newtonized_omp", "fpn_oamp")


def quantised(y, bits):
    """Pilots [..., S, Q] behind converters of ``bits`` at the best load for the power of each chain."""
    step = optimal_step(bits) * np.sqrt(0.5 * np.mean(np.abs(y) ** 2, axis=-1, keepdims=True))
    top = 2 ** (bits - 1) - 0.5

    def level(x):
        return step * np.clip(np.floor(x / step) + 0.5, -top, top)

    return (level(y.real) + 1j * level(y.imag)).astype(np.complex64)


def measure(channels=100, bits=BITS, snrs_db=SNRS_DB, names=ESTIMATORS):
    """{estimator: {"unquantised" or bits: {variant: [NMSE in dB by SNR]}}}.

    Variants: "plain", the estimator as it is; "step", with the generalised linear step; "blind", the same
    without noise level; and "ms", thread time per estimate with the step, likewise by SNR.
    """
    array, rng = array_preset(PRESET), np.random.default_rng(31)
    op = thzum.pilot_operator.hadamard(array.n_subarrays, array.rows, array.cols, ROWS, seed=77)
    h = thzum.channel.preset(PRESET).sample(channels, seed=FIRST_CHANNEL).reshape(channels, -1)
    h = h * np.sqrt(h.shape[1]) / np.linalg.norm(h, axis=1, keepdims=True)
    clean = op.measure(h.astype(np.complex64)).reshape(channels, array.n_subarrays, ROWS)
    noise = (rng.standard_normal(clean.shape) + 1j * rng.standard_normal(clean.shape)) / np.sqrt(2)
    results = {name: {"unquantised": {"plain": []}} for name in names}

    def run(estimator, y, noise_var, row, variant):
        h_hat, _ = estimator.estimate(y.reshape(channels, -1), noise_var)
        row.setdefault(variant, []).append(float(thzum.metrics.nmse_db(h_hat, h)))

    for name in names:
        plain = thzum.estimator(name, op, array=array)
        aware = {b: thzum.estimator(name, op, array=array, adc_bits=b) for b in bits}
        for snr in snrs_db:
            noise_var = 10 ** (-snr / 10)
            y = (clean + np.sqrt(noise_var) * noise).astype(np.complex64)
            run(plain, y, noise_var, results[name]["unquantised"], "plain")
            for b in bits:
                levels, row = quantised(y, b), results[name].setdefault(b, {})
                run(plain, levels, noise_var, row, "plain")
                start = time.thread_time()
                run(aware[b], levels, noise_var, row, "step")
                row.setdefault("ms", []).append(1e3 * (time.thread_time() - start) / channels)
                run(aware[b], levels, None, row, "blind")
    return results


def averaged(frames=6, n_users=4, bits=(1, 2, 3), snrs_db=(10, 20), names=ESTIMATORS):
    """As :func:`measure`, for ``n_users`` that share every slot on as many chips, each chip converted by itself.

    {estimator: {bits: {"plain" or "step": [NMSE in dB by SNR]}}}; the SNR is that after despreading.
    """
    array, rng = array_preset(PRESET), np.random.default_rng(3)
    op = thzum.pilot_operator.hadamard(array.n_subarrays, array.rows, array.cols, ROWS, seed=5)
    h = thzum.channel.preset(PRESET).sample(frames * n_users, seed=FIRST_CHANNEL + 100_000)
    h = h.reshape(frames * n_users, -1)
    h = h * np.sqrt(h.shape[1]) / np.linalg.norm(h, axis=1, keepdims=True)
    sent = op.measure(h.astype(np.complex64)).reshape(frames, n_users, array.n_subarrays, ROWS)
    sequences = np.exp(2j * np.pi * np.outer(np.arange(n_users), np.arange(n_users)) / n_users)
    estimators = {name: thzum.estimator(name, op, array=array) for name in names}
    results = {name: {b: {"plain": [], "step": []} for b in bits} for name in names}
    for snr in snrs_db:
        noise_var = 10 ** (-snr / 10)
        chips = np.einsum("fusq,up->fspq", sent, sequences)
        noise = rng.standard_normal(chips.shape) + 1j * rng.standard_normal(chips.shape)
        chips = chips + np.sqrt(noise_var * n_users / 2) * noise
        for b in bits:
            levels = quantised(chips.reshape(frames, array.n_subarrays, -1), b).reshape(chips.shape)
            y = np.einsum("fspq,up->fusq", levels, sequences.conj()) / n_users
            y = y.reshape(len(h), -1).astype(np.complex64)
            for name in names:
                aware = thzum.estimator(name, op, array=array, adc_bits=b)
                for variant, estimator in (("plain", estimators[name]), ("step", aware)):
                    h_hat, _ = estimator.estimate(y, noise_var)
                    results[name][b][variant].append(float(thzum.metrics.nmse_db(h_hat, h)))
    return results


def report(results, snrs_db=SNRS_DB):
    """The results as text."""
    lines = [f"{'NMSE in dB at':34}" + "".join(f"{snr:8g}" for snr in snrs_db) + "  dB"]
    for name, rows in results.items():
        for bits, variants in rows.items():
            label = bits if bits == "unquantised" else f"{bits} bit{'s' * (bits > 1)}"
            for variant, values in variants.items():
                lines.append(f"{name:16}{label:12}{variant:6}" + "".join(f"{v:8.2f}" for v in values))
    return "\n".join(lines)


def plot(results, axes, snrs_db=SNRS_DB):
    """One estimator's results on Matplotlib ``axes``: solid with the step, dotted without."""
    for k, (bits, variants) in enumerate(results.items()):
        if bits == "unquantised":
            axes.plot(snrs_db, variants["plain"], color="black", label="no converter")
            continue
        colour, marker = COLOURS[k % len(COLOURS)], "os^vDPX*"[k % 8]
        axes.plot(snrs_db, variants["step"], color=colour, marker=marker, label=f"{bits} bit{'s' * (bits > 1)}")
        axes.plot(snrs_db, variants["plain"], ":", color=colour, marker=marker, fillstyle="none")
    axes.set_xlabel("SNR in dB")
    axes.set_ylabel("NMSE in dB")
    axes.grid(True, alpha=0.3)
    axes.legend(fontsize=8)


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--channels", type=int, default=100, help="of each point (default: %(default)s)")
    parser.add_argument("--chips", action="store_true", help="instead: 4 users on 4 chips, averaged after converters")
    parser.add_argument("--figure", metavar="FILE", help="also draw the curves")
    parser.add_argument("--json", metavar="FILE", help="also write the figures")
    options = parser.parse_args()
    if options.chips:
        print(report(averaged(), (10, 20)))
        return
    results = measure(options.channels)
    print(report(results))
    if options.figure:
        figure = new_figure(10, 4.5)
        for axes, (name, rows) in zip(figure.subplots(1, len(results), sharey=True), results.items()):
            plot(rows, axes)
            axes.set_title(f"{name}: with the step (solid), without (dotted)", fontsize=9)
        figure.tight_layout()
        figure.savefig(options.figure, dpi=120)
    as_json.save(results, options.json)


if __name__ == "__main__":
    main()
