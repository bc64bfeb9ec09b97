# SPDX-License-Identifier: GPL-3.0-or-later
"""NMSE of the estimators on channels of the published generator, and properties of the fixed point."""

import functools

import numpy as np

from gnuradio import thzum
from gnuradio.thzum.array import array_preset

SNRS_DB = (0, 5, 10, 15, 20)
TRAINING_CHANNELS = 20_000
ESTIMATORS = ("ls", "lmmse", "omp", "amp", "oamp", "fpn_oamp", "newtonized_omp", "auto")


def load_reference(path):
    """Channels [K, N], combiner [S, Q, n] and unit antenna noise [K, N] of a reference file."""
    data = np.load(path)
    channels = data["channel"].reshape(len(data["channel"]), -1)
    return channels, data["combiner"].astype(np.complex64), data["antenna_noise"].reshape(channels.shape)


def _estimator(name, op):
    options = dict(array=array_preset("thz300_aosa4x256"))
    if name == "lmmse":
        options["covariance"] = subarray_covariance()
    return thzum.estimator(name, op, **options)


@functools.lru_cache(maxsize=1)
def subarray_covariance():
    """Covariance [n, n] of a subarray's response, from channels of our own simulator."""
    model = thzum.channel.preset("thz300_aosa4x256")
    n = model.array.rows * model.array.cols
    h = model.sample(TRAINING_CHANNELS, seed=12345).reshape(-1, n)
    return (h.T @ h.conj() / len(h)).astype(np.complex64)


def _row(estimator, observe, channels):
    row = []
    for snr_db in SNRS_DB:
        noise_var = 10 ** (-snr_db / 10)
        h_hat, _ = estimator.estimate(observe(noise_var), noise_var)
        row.append(float(thzum.metrics.nmse_db(h_hat, channels)))
    return row


def reference_table(path, names=ESTIMATORS, n_slots=None):
    """NMSE in dB with the reference's own combiner and its common noise: {estimator: [per SNR]}.

    ``n_slots`` takes the first rows of the combiner alone, fewer pilots.
    """
    channels, combiner, noise = load_reference(path)
    op = thzum.pilot_operator(combiner[:, :n_slots], rows=16, cols=16, noise_model="common")

    def observe(noise_var):
        return op.measure((channels + np.sqrt(noise_var) * noise).astype(np.complex64))

    return {name: _row(_estimator(name, op), observe, channels) for name in names}


def hadamard_table(path, names=ESTIMATORS, seed=7):
    """The same channels through the semi-orthogonal Hadamard combiner with fresh noise in every slot."""
    channels, _, _ = load_reference(path)
    op = thzum.pilot_operator.hadamard(n_subarrays=4, rows=16, cols=16, n_slots=128, seed=1)
    clean = op.measure(channels)
    rng = np.random.default_rng(seed)
    noise = (rng.standard_normal(clean.shape) + 1j * rng.standard_normal(clean.shape)) * np.sqrt(0.5)

    def observe(noise_var):
        return (clean + np.sqrt(noise_var) * noise).astype(np.complex64)

    return {name: _row(_estimator(name, op), observe, channels) for name in names}


def fixed_point(path, depths=(1, 2, 3, 4, 5, 6, 8, 10, 15)):
    """What the fixed-point iteration promises, measured on the reference.

    Returns a dictionary: ``start_difference``, the largest relative difference between the estimates from
    zero, LS and random starts; ``residual_ratio``, the median ratio of successive residuals; ``nmse_db``
    per depth and SNR; ``largest_rise_db``, the largest increase of NMSE from one depth to a deeper one.
    """
    channels, combiner, noise = load_reference(path)
    op = thzum.pilot_operator(combiner, rows=16, cols=16, noise_model="common")
    starts = {
        start: thzum.estimator("fpn_oamp", op, start=start, tolerance=1e-6, max_iterations=40)
        for start in ("zero", "ls", "random")
    }
    fixed_depth = [thzum.estimator("fpn_oamp", op, tolerance=0.0, max_iterations=depth) for depth in depths]
    difference, ratios, nmse, rise = 0.0, [], {}, -np.inf
    for snr_db in SNRS_DB:
        noise_var = 10 ** (-snr_db / 10)
        y = op.measure((channels + np.sqrt(noise_var) * noise).astype(np.complex64))
        estimates = {start: estimator.estimate(y, noise_var) for start, estimator in starts.items()}
        base, report = estimates["zero"]
        scale = np.linalg.norm(base, axis=1)
        for other, _ in estimates.values():
            difference = max(difference, float((np.linalg.norm(other - base, axis=1) / scale).max()))
        history = np.asarray(report["residual_history"])[:, 1:7]
        ratios.append(history[:, 1:] / history[:, :-1])
        curve = [float(thzum.metrics.nmse_db(e.estimate(y, noise_var)[0], channels)) for e in fixed_depth]
        nmse[snr_db] = curve
        rise = max(rise, max(b - a for k, a in enumerate(curve) for b in curve[k + 1 :]))
    return dict(
        depths=list(depths),
        start_difference=difference,
        residual_ratio=float(np.median(np.concatenate(ratios))),
        nmse_db_by_depth=nmse,
        largest_rise_db=float(rise),
    )
