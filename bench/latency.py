# SPDX-License-Identifier: GPL-3.0-or-later
"""Latency of streamed frames through a flowgraph, from item in to item out, and batch throughput."""

import queue
import sys
import time

import numpy as np
from tqdm import tqdm

from gnuradio import blocks, gr, thzum

PRESET = "thz300_aosa4x256"
FRAMES = 10_000
DEFAULT_BATCH = 8  # of the block channel_estimator
ALGORITHMS = ("newtonized_omp", "fpn_oamp", "auto")
FAST = dict(steps=1, final_steps=1)  # newtonized_omp with the fewest steps
THROUGHPUT_BATCH = 64


def settings(array):
    """What is measured: {label: (algorithm, options of the estimator)}."""
    return {
        "newtonized_omp, free gains, 1+1 steps": ("newtonized_omp", dict(spacing=array.spacing, **FAST)),
        "newtonized_omp, free gains": ("newtonized_omp", dict(spacing=array.spacing)),
        "newtonized_omp, coherent": ("newtonized_omp", dict(array=array)),
        "fpn_oamp": ("fpn_oamp", {}),
        "auto": ("auto", dict(array=array)),
    }


class _FrameSource(gr.sync_block):
    """The pilots of a frame at a time: the next one leaves once the one before has come out of the flowgraph."""

    def __init__(self, y, frame_items):
        gr.sync_block.__init__(self, "frames", None, [(np.complex64, y.shape[1])])
        self.y, self.next = y, 0
        self.come_out, self.left_at = queue.SimpleQueue(), np.zeros(len(y))
        self.set_output_multiple(frame_items)
        self.frame_items = frame_items
        self.come_out.put(True)

    def work(self, input_items, output_items):
        if self.next >= len(self.y):
            return -1
        self.come_out.get()
        items = slice(self.next, self.next + self.frame_items)
        output_items[0][: self.frame_items] = self.y[items]
        self.next = items.stop
        self.left_at[items] = time.perf_counter()
        return self.frame_items


class _FrameSink(gr.sync_block):
    """Notes when each item arrives, and lets the next frame leave."""

    def __init__(self, width, source, progress):
        gr.sync_block.__init__(self, "arrivals", [(np.complex64, width)], None)
        self.source, self.progress, self.count = source, progress, 0
        self.arrived_at = np.zeros(len(source.y))

    def work(self, input_items, output_items):
        items = len(input_items[0])
        before, self.count = self.count, self.count + items
        self.arrived_at[before : self.count] = time.perf_counter()
        self.progress.update(items)
        for _ in range(self.count // self.source.frame_items - before // self.source.frame_items):
            self.source.come_out.put(True)
        return items


def percentiles(seconds):
    """{"p50_ms", "p99_ms", "max_ms"} of times in seconds."""
    p50, p99, largest = 1e3 * np.percentile(seconds, (50, 99, 100))
    return dict(p50_ms=float(p50), p99_ms=float(p99), max_ms=float(largest))


def _streamed(block, y, frame_items, width, progress):
    top = gr.top_block()
    source = _FrameSource(y, frame_items)
    sink = _FrameSink(width, source, progress)
    top.connect(source, block, sink)
    top.run()
    return sink.arrived_at - source.left_at


def _bare(estimator, y, frame_items, noise_var, progress):
    """Wall-clock and thread time of each call on ``frame_items`` items."""
    wall, thread = [], []
    for first in range(0, len(y), frame_items):
        frame = y[first : first + frame_items]
        begun = time.perf_counter(), time.thread_time()
        estimator.estimate(frame, noise_var)
        wall.append(time.perf_counter() - begun[0])
        thread.append(time.thread_time() - begun[1])
        progress.update(len(frame))
    return np.array(wall), np.array(thread)


def _pilots(count, seed=3):
    """Operator, array, pilots [count, M] of as many channels at 10 dB SNR, noise variance."""
    model, noise_var = thzum.channel.preset(PRESET), np.float32(0.1)
    array = model.array
    op = thzum.pilot_operator.hadamard(array.n_subarrays, array.rows, array.cols, 128, seed=1)
    clean = op.measure(model.sample(count, seed=seed))
    noise = np.random.default_rng(seed).standard_normal((*clean.shape, 2), np.float32).view(np.complex64)[..., 0]
    return op, array, (clean + np.sqrt(noise_var / 2) * noise).astype(np.complex64), noise_var


def _throughput(name, options, op, y, noise_var):
    """Estimates per second of thread time, one thread, in batches of THROUGHPUT_BATCH."""
    estimator = thzum.estimator(name, op, max_batch=THROUGHPUT_BATCH, **options)
    batch = np.resize(y, (THROUGHPUT_BATCH, y.shape[1]))
    estimator.estimate(batch, noise_var)
    begun = time.thread_time()
    estimator.estimate(batch, noise_var)
    return THROUGHPUT_BATCH / (time.thread_time() - begun)


def measure(reference_path=None, frames=FRAMES, batches=(1, DEFAULT_BATCH), labels=None):
    """Latency of ``frames`` items: {label: {"batch 1": {...}, "batch 8": {...}, "throughput_per_s"}}.

    A frame is as many items as the batch, each a channel of its own at 10 dB SNR, 1024 antennas, 512 pilots; it
    enters once the frame before has come out, so that nothing waits in a queue. ``flowgraph`` is the time from an
    item's leaving the source to its arrival at the sink, ``bare`` that of the estimator's call without GNU Radio on
    the same frames, ``bare_thread`` the same in time of its thread, which others on the machine disturb less.
    "nothing" is a copy in place of the estimator: what the scheduler and the two Python blocks cost. One thread
    estimates; throughput is of thread time, in batches of 64. ``reference_path`` is not read.
    """
    op, array, y, noise_var = _pilots(frames)
    chosen = {label: entry for label, entry in settings(array).items() if labels is None or label in labels}
    results = {}
    total = len(batches) * frames * (1 + 2 * len(chosen))
    with tqdm(total=total, desc="latency", unit="items", file=sys.stderr, mininterval=1.0) as progress:
        for batch in batches:
            whole = y[: frames - frames % batch]
            copy = blocks.copy(gr.sizeof_gr_complex * op.n_observations)
            times = _streamed(copy, whole, batch, op.n_observations, progress)
            results.setdefault("nothing", {})[f"batch {batch}"] = dict(flowgraph=percentiles(times))
            for label, (name, options) in chosen.items():
                known = dict(options)
                place = known.pop("array").estimator_options() if "array" in known else {}
                block = thzum.channel_estimator(op, name, known, float(noise_var), batch, place)
                flow = _streamed(block, whole, batch, op.n_antennas, progress)
                estimator = thzum.estimator(name, op, max_batch=batch, **options)
                wall, thread = _bare(estimator, whole, batch, noise_var, progress)
                results.setdefault(label, {})[f"batch {batch}"] = dict(
                    flowgraph=percentiles(flow), bare=percentiles(wall), bare_thread=percentiles(thread)
                )
    for label, (name, options) in chosen.items():
        results[label]["throughput_per_s"] = _throughput(name, options, op, y, noise_var)
    return results


def report(results):
    """The results as a table."""
    lines = [f"  {'ms':40}{'flowgraph p50':>14}{'p99':>8}{'max':>8}{'bare p50':>10}{'p99':>8}{'thread p50':>12}{'p99':>8}"]
    for label, row in results.items():
        for batch, entry in row.items():
            if batch == "throughput_per_s":
                lines.append(f"  {label:40}{entry:14.0f} estimates per second in batches of {THROUGHPUT_BATCH}")
                continue
            flow, bare, thread = (entry.get(key) for key in ("flowgraph", "bare", "bare_thread"))
            line = f"  {label + ', ' + batch:40}{flow['p50_ms']:14.3f}{flow['p99_ms']:8.3f}{flow['max_ms']:8.2f}"
            if bare:
                line += f"{bare['p50_ms']:10.3f}{bare['p99_ms']:8.3f}{thread['p50_ms']:12.3f}{thread['p99_ms']:8.3f}"
            lines.append(line)
    return "\n".join(lines)
