# SPDX-License-Identifier: GPL-3.0-or-later
"""What eight bits in the denoiser save in time and cost in NMSE, both in one run."""

import pathlib
import tempfile
import time

import numpy as np
from speed import best_times

from gnuradio import thzum
from gnuradio.thzum.training.quantise import quantise

PRESET = "thz300_aosa4x256"
SNRS_DB = (0, 5, 10, 15, 20)


def measure(reference_path=None, channels=100, batches=8, rounds=5):
    """{"float32"/"int8": {"nmse_db": per SNR, "iterations", "ms", "batched_ms", "megabytes"}, "times_faster", ...}.

    The shipped denoiser inside ``fpn_oamp`` at default settings, as it is and with its inner convolutions in eight
    bits; nominal channels, Hadamard combiner, M/N = 0.5. Times are of the thread, taken in turns, at 10 dB.
    ``reference_path`` is not read.
    """
    model = thzum.channel.preset(PRESET)
    h = model.sample(channels, seed=21)
    op = thzum.pilot_operator.hadamard(n_subarrays=4, rows=16, cols=16, n_slots=128, seed=1)
    rng = np.random.default_rng(5)
    unit = (rng.standard_normal((channels, op.n_observations, 2)) * np.sqrt(0.5)).view(complex)[..., 0]
    clean = op.measure(h)
    with tempfile.TemporaryDirectory() as folder:
        path = quantise(thzum.onnx_model.shipped("fpn_oamp"), str(pathlib.Path(folder) / "int8.onnx"), batches)
        files = dict(float32=thzum.onnx_model.shipped("fpn_oamp"), int8=path)
        results = {}
        for name, file in files.items():
            estimator = thzum.estimator("fpn_oamp", op, model=file, max_batch=channels)
            found = dict(nmse_db=[], iterations=[], megabytes=pathlib.Path(file).stat().st_size / 1e6)
            for snr_db in SNRS_DB:
                y = (clean + 10 ** (-snr_db / 20) * unit).astype(np.complex64)
                h_hat, report = estimator.estimate(y, 10 ** (-snr_db / 10))
                found["nmse_db"].append(float(thzum.metrics.nmse_db(h_hat, h)))
                found["iterations"].append(float(np.mean(report["iterations"])))
            results[name] = found
        y = (clean + np.sqrt(0.1) * unit).astype(np.complex64)
        for key, batch in (("ms", 1), ("batched_ms", min(channels, 16))):
            made = [thzum.estimator("fpn_oamp", op, model=file, max_batch=batch, max_iterations=3, tolerance=0.0)
                    for file in files.values()]
            calls = [lambda e=e: e.estimate(y[:batch], 0.1) for e in made]
            times = best_times(calls, [3] * 2, rounds, time.thread_time)
            for name, seconds in zip(files, times):
                results[name][key] = 1e3 * seconds / batch
    for key in ("ms", "batched_ms"):
        results[f"times_faster_{key}"] = results["float32"][key] / results["int8"][key]
    results["loss_db"] = [b - a for a, b in zip(results["float32"]["nmse_db"], results["int8"]["nmse_db"])]
    return results
