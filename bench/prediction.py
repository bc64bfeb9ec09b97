# SPDX-License-Identifier: GPL-3.0-or-later
"""How well estimators predict their own error, and how well anything could.

The same channels are received many times with new noise. The error ||h_hat - h||^2 of a frame then scatters about
its mean for that channel; a predictor that knew the channel, and could not know the noise, could say nothing better
than one number per channel. That oracle's share of frames within 1 dB bounds what a report can reach.
"""

import argparse

import numpy as np
import as_json
from robustness import PRESET

from gnuradio import thzum
from gnuradio.thzum.array import array_preset

ESTIMATORS = ("fpn_oamp", "newtonized_omp", "auto")
SNRS_DB = (0.0, 10.0, 20.0)
WITHIN_DB = 1.0
SEED = 4_000_000


def received(channels, draws, snr_db, seed=SEED):
    """Operator, channels [C, N], pilots [C * draws, M], noise variance."""
    rng = np.random.default_rng(seed)
    array = array_preset(PRESET)
    op = thzum.pilot_operator.hadamard(array.n_subarrays, array.rows, array.cols, array.rows * array.cols // 2, seed=seed)
    h = thzum.channel.preset(PRESET).sample(channels, rng).astype(np.complex64)
    noise_var = 10 ** (-snr_db / 10)
    y = np.repeat(op.measure(h), draws, axis=0)
    y = y + np.sqrt(noise_var / 2) * (rng.standard_normal(y.shape) + 1j * rng.standard_normal(y.shape))
    return op, h, y.astype(np.complex64), noise_var


def densest_share(errors_db, width_db=2 * WITHIN_DB):
    """Largest share of values that one interval of a width can hold, per row of ``errors_db`` [C, K]."""
    ordered = np.sort(errors_db, axis=1)
    ends = np.array([np.searchsorted(row, row + width_db, side="right") for row in ordered])
    return (ends - np.arange(ordered.shape[1])).max(axis=1) / ordered.shape[1]


def coverage(name, snr_db, channels=40, draws=32, model=""):
    """Shares of frames within 1 dB, of predictors of the error of one estimator at one SNR.

    Returns:
        ``reported``: what the report says; ``shifted``: that plus the one constant that is best, in dB ``bias_db``;
        ``mean``: the true mean error of that channel; ``oracle``: the best constant of each channel, fitted to its
        own frames and so above what can be known; ``spread_db``: deviation of a frame's error about its channel's
        mean; ``degrees``: complex degrees of freedom that a chi-square error of this spread has.
    """
    op, h, y, noise_var = received(channels, draws, snr_db)
    options = dict(model=model) if model and name != "newtonized_omp" else {}
    h_hat, report = thzum.estimator(name, op, array=array_preset(PRESET), **options).estimate(y, noise_var)
    truth = np.repeat(h, draws, axis=0)
    energy = np.linalg.norm(truth, axis=1) ** 2
    error = (np.linalg.norm(h_hat - truth, axis=1) ** 2 / energy).reshape(channels, draws)
    error_db = 10 * np.log10(error)
    predicted_db = np.asarray(report["predicted_nmse_db"], float).reshape(channels, draws)
    mean = error.mean(axis=1, keepdims=True)
    missed = error_db - predicted_db
    relative = np.mean(error.var(axis=1, ddof=1) / mean[:, 0] ** 2)
    best = np.median(missed)
    return dict(
        reported=float(np.mean(np.abs(missed) < WITHIN_DB)),
        shifted=float(np.mean(np.abs(missed - best) < WITHIN_DB)),
        bias_db=float(best),
        mean=float(np.mean(np.abs(error_db - 10 * np.log10(mean)) < WITHIN_DB)),
        oracle=float(densest_share(error_db).mean()),
        spread_db=float(error_db.std(axis=1, ddof=1).mean()),
        degrees=float(1 / relative),
        averaged=float(np.mean(np.abs(10 * np.log10(np.mean(10 ** (predicted_db / 10), axis=1) / mean[:, 0])) < WITHIN_DB)),
    )


def measure(names=ESTIMATORS, snrs_db=SNRS_DB, channels=40, draws=32, model=""):
    """{estimator: {SNR: shares}}, see :func:`coverage`."""
    return {name: {snr: coverage(name, snr, channels, draws, model) for snr in snrs_db} for name in names}


def report(table):
    """The shares as text, in percent."""
    lines = [f"{'within 1 dB, percent':24}{'SNR':>5}{'report':>8}{'oracle mean':>13}{'best constant':>15}"
             f"{'spread dB':>11}{'degrees':>9}{'bias dB':>9}"]
    for name, row in table.items():
        for snr, s in row.items():
            lines.append(f"{name:24}{snr:5g}{100 * s['reported']:8.0f}{100 * s['mean']:13.0f}{100 * s['oracle']:15.0f}"
                         f"{s['spread_db']:11.2f}{s['degrees']:9.0f}{s['bias_db']:+9.2f}")
    return "\n".join(lines)


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--channels", type=int, default=40, help="channels (default: %(default)s)")
    parser.add_argument("--draws", type=int, default=32, help="frames of each channel (default: %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="also write the figures")
    options = parser.parse_args()
    table = measure(channels=options.channels, draws=options.draws)
    print(report(table))
    as_json.save(table, options.json)


if __name__ == "__main__":
    main()
