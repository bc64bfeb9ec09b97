# SPDX-License-Identifier: GPL-3.0-or-later
"""Speed on one thread. Every ratio compares two things timed in the same run, where they share a process in turn."""

import os
import subprocess
import time

import numpy as np
import torch
from published_network import PublishedEstimator

from gnuradio import blocks, gr, thzum

N_OBSERVATIONS, N_ANTENNAS = 512, 1024


def best_times(functions, repeats, rounds=7, clock=time.perf_counter):
    """Best mean time in seconds of each function, the functions taking turns."""
    best = [np.inf] * len(functions)
    for _ in range(rounds):
        for k, function in enumerate(functions):
            function()
            start = clock()
            for _ in range(repeats[k]):
                function()
            best[k] = min(best[k], (clock() - start) / repeats[k])
    return best


def _problem(op, count, snr_db=10.0, seed=3):
    h = thzum.channel.preset("thz300_aosa4x256").sample(count, seed)
    clean = op.measure(h)
    noise_var = 10 ** (-snr_db / 10)
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((2, *clean.shape)) * np.sqrt(noise_var / 2)
    return (clean + noise[0] + 1j * noise[1]).astype(np.complex64), np.float32(noise_var)


def linear_module():
    """Our linear module against the dense real-valued 1024 x 2048 matrix pair, in C++ and in PyTorch."""
    torch.set_num_threads(1)
    published = PublishedEstimator()
    observation, estimate = torch.randn(2 * N_OBSERVATIONS), torch.randn(2 * N_ANTENNAS)
    (in_pytorch,) = best_times([lambda: published.linear_step(estimate, observation)], [100])
    program = os.path.join(os.environ["THZUM_BUILD"], "cmake", "bench", "thzum_bench_linear_module")
    lines = subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines()
    microseconds = {name: float(value) for name, value in (line.split() for line in lines)}
    dense = microseconds.pop("dense_pair")
    results = dict(dense_pair_pytorch_us=1e6 * in_pytorch, dense_pair_cpp_us=dense)
    for name, value in microseconds.items():
        results[name] = dict(
            microseconds=value, times_faster_than_cpp=dense / value, times_faster_than_pytorch=1e6 * in_pytorch / value
        )
    return results


def estimate():
    """One estimate at default settings against the published network at 15 iterations.

    ``newtonized_omp`` with free gains, which needs no geometry, and coherent over the array.
    """
    torch.set_num_threads(1)
    published = PublishedEstimator()
    observation = torch.randn(2 * N_OBSERVATIONS)
    op = thzum.pilot_operator.hadamard(n_subarrays=4, rows=16, cols=16, n_slots=128, seed=1)
    estimator = thzum.estimator("fpn_oamp", op)
    y, noise_var = _problem(op, 64)
    position = iter(range(10**9))

    def ours():
        estimator.estimate(y[next(position) % len(y)], noise_var)

    def batched():
        estimator.estimate(y, noise_var)

    array = thzum.channel.preset("thz300_aosa4x256").array
    free, coherent = (
        thzum.estimator("newtonized_omp", op, **known) for known in (dict(spacing=array.spacing), dict(array=array))
    )
    others = [
        lambda est=est: est.estimate(y[next(position) % len(y)], noise_var)
        for est in (free, coherent, thzum.estimator("auto", op, array=array))
    ]
    times = best_times(
        [lambda: published.estimate(observation), ours, batched, *others], [3, 64, 1, 64, 64, 32], rounds=5
    )
    iterations = estimator.estimate(y, noise_var)[1]["iterations"]
    return dict(
        published_ms=1e3 * times[0],
        ours_ms=1e3 * times[1],
        ours_batched_ms=1e3 * times[2] / len(y),
        mean_iterations=float(np.mean(iterations)),
        times_faster=times[0] / times[1],
        newtonized_omp_free_ms=1e3 * times[3],
        newtonized_omp_free_times_faster=times[0] / times[3],
        newtonized_omp_ms=1e3 * times[4],
        auto_ms=1e3 * times[5],
    )


def streaming(items=400, batch=16):
    """Time per estimate of the channel estimator block in a running flowgraph against the bare object."""
    op = thzum.pilot_operator.hadamard(n_subarrays=4, rows=16, cols=16, n_slots=128, seed=1)
    y, noise_var = _problem(op, items)

    def flowgraph():
        top = gr.top_block()
        source = blocks.vector_source_c(y.ravel().tolist(), False, op.n_observations)
        block = thzum.channel_estimator(op, "fpn_oamp", {}, noise_var=float(noise_var), batch=batch)
        sink = blocks.null_sink(gr.sizeof_gr_complex * op.n_antennas)
        top.connect(source, block, sink)
        start = time.perf_counter()
        top.run()
        return time.perf_counter() - start

    def bare():
        estimator = thzum.estimator("fpn_oamp", op, max_batch=batch)
        start = time.perf_counter()
        for first in range(0, items, batch):
            estimator.estimate(y[first : first + batch], noise_var)
        return time.perf_counter() - start

    flow, direct = (min(pair) for pair in zip(*((flowgraph(), bare()) for _ in range(3))))
    return dict(flowgraph_ms=1e3 * flow / items, bare_ms=1e3 * direct / items, overhead=flow / direct - 1)
