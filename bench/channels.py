# SPDX-License-Identifier: GPL-3.0-or-later
"""Speed of the channel simulator: channels per second, and a sweep over processes."""

import os
import pathlib
import tempfile
import time

import numpy as np
from speed import best_times

from gnuradio import thzum
from gnuradio.thzum.channel.native import native_model
from gnuradio.thzum.simulation import Experiment, run

PRESET = "thz300_aosa4x256"
SWEEP = dict(
    scenarios=[PRESET],
    algorithms=["ls", "lmmse", "omp", "oamp", "fpn_oamp"],
    snr_db=[0, 5, 10, 15, 20],
    channels=1000,
)


def rates(batch=200):
    """Channels of the 1024-antenna preset per second, one thread: C++, NumPy, and NumPy at every element."""
    model, native = thzum.channel.preset(PRESET), native_model(PRESET)
    paths = model.draw_paths(batch, np.random.default_rng(0))
    seconds = best_times(
        [
            lambda: native.sample(batch, seed=0),
            lambda: model.sample(batch, 0),
            lambda: model.response(paths, exact=True),
        ],
        [20, 5, 1],
    )
    per_second = [batch / s for s in seconds]
    return dict(
        cpp_per_s=per_second[0],
        numpy_per_s=per_second[1],
        numpy_exact_per_s=per_second[2],
        cpp_times_faster_than_exact=per_second[0] / per_second[2],
    )


def sweep(workers=2):
    """Wall-clock seconds of 5 estimators x 5 SNRs x 1000 channels on two processes, start-up included."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "results.jsonl"
        start = time.perf_counter()
        run(Experiment.from_dict(SWEEP), path, workers=workers)
        seconds = time.perf_counter() - start
    return dict(workers=workers, cores=os.cpu_count(), seconds=seconds)
