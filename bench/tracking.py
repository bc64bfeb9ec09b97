# SPDX-License-Identifier: GPL-3.0-or-later
"""Tracking over frames: work saved by warm starts against the speed of motion."""

import json
import time
from dataclasses import replace

import numpy as np

from gnuradio import thzum
from gnuradio.thzum.channel import preset, response

STEPS = (0.0, 0.01, 0.1, 1.0, 10.0, 100.0)  # wavelengths of motion from frame to frame


def _moved(paths, wavelengths, wavelength, heading):
    """Sources moved across the line of sight by ``wavelengths``, with the phase that motion along it would give."""
    ux, uy = paths.direction_cosines()
    turn = wavelengths * wavelength / paths.distance
    ux, uy = ux + turn * np.cos(heading), uy + turn * np.sin(heading)
    radius = np.hypot(ux, uy)
    return replace(
        paths,
        elevation=np.arcsin(np.minimum(radius, 0.98)),
        azimuth=np.arctan2(uy, ux),
        phase=paths.phase + 2 * np.pi * wavelengths * np.cos(heading),
    )


def measure(users=12, frames=6, snr_db=10.0, seed=5):
    """{estimator: {motion per frame in wavelengths: NMSE in dB, steps and ms of an estimate, cold and tracked}}."""
    model = preset("thz300_aosa4x256")
    array, noise_var = model.array, 10 ** (-snr_db / 10)
    op = thzum.pilot_operator.hadamard(array.n_subarrays, array.rows, array.cols, 128, seed=11)
    results = {}
    for name in ("newtonized_omp", "fpn_oamp"):
        for step in STEPS:
            rng = np.random.default_rng(seed)
            paths = model.draw_paths(users, rng)
            heading = rng.uniform(0, 2 * np.pi, paths.shape)
            cold = thzum.estimator(name, op, array=array)
            tracked = thzum.tracking_estimator(thzum.estimator(name, op, array=array), users)
            sums = {"cold": np.zeros(3), "tracked": np.zeros(3)}
            for frame in range(frames):
                h = response(array, _moved(paths, frame * step, array.wavelength, heading))
                noise = rng.standard_normal((users, op.n_observations, 2)) @ [1, 1j]
                y = (op.measure(h) + np.sqrt(noise_var / 2) * noise).astype(np.complex64)
                for key, estimator in (("cold", cold), ("tracked", tracked)):
                    start = time.thread_time()
                    h_hat, report = estimator.estimate(y, noise_var)
                    took = 1e3 * (time.thread_time() - start) / users
                    error = np.sum(np.abs(h_hat - h) ** 2, axis=1) / np.sum(np.abs(h) ** 2, axis=1)
                    if frame > 0:
                        sums[key] += np.array([np.mean(error), np.mean(report["steps"]), took]) / (frames - 1)
            results.setdefault(name, {})[step] = {
                key: dict(nmse_db=round(10 * np.log10(error), 2), steps=round(steps, 1), ms=round(ms, 2))
                for key, (error, steps, ms) in sums.items()
            }
    return results


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
