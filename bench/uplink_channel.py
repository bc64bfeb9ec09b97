# SPDX-License-Identifier: GPL-3.0-or-later
"""Speed of the streaming uplink: 4 users, 4 RF chains of 256 antennas, 5 paths, on one core."""

import json
import time

import numpy as np

from gnuradio import blocks, gr, thzum
from gnuradio.thzum.channel import UplinkChannel, draw_users, preset
from gnuradio.thzum.channel.hardware import Hardware
from gnuradio.thzum.frame import PilotPlan

SAMPLE_RATE = 1e9
N_USERS = 4
HARDWARE = {
    "user_frequency_offset": {"offset": (1e3, -2e3, 5e3, 0.0)},
    "user_phase_noise": {"k0": 1e-13, "k2": 10.0},
    "power_amplifier": {"input_backoff_db": 6.0},
    "low_noise_amplifier": {"input_backoff_db": 15.0, "input_power": 12.0},
    "frequency_offset": {"offset": 1e4},
    "phase_noise": {"k0": 1e-13, "k2": 10.0},
    "iq_imbalance": {"amplitude_db": 0.5, "phase_deg": 2.0},
    "adc": {"bits": 8, "power": 12.0, "agc_samples": 1000.0},
}


def _channel(schedule, impaired):
    """Doppler up to 10 kHz, delays up to 10 samples behind the earliest path, noise."""
    model = preset("thz300_aosa4x256")
    paths = draw_users(model, N_USERS, max_doppler=1e4, seed=1)
    hardware = Hardware.from_dict(HARDWARE, SAMPLE_RATE) if impaired else None
    options = dict(normalise="each", noise_var=0.1, hardware=hardware)
    plan = PilotPlan(model.array, n_slots=128)
    if schedule:
        return UplinkChannel.from_plan(plan, paths, SAMPLE_RATE, **options)
    return UplinkChannel(model.array, paths, plan.codebook[None, [0] * 4], SAMPLE_RATE, **options)


def _kernel(channel, count=1 << 19, piece=4096, rounds=3):
    """Msample/s of each stream through the bare object, by the time of this thread."""
    kernel = thzum.uplink_channel(channel.parameters())
    rng = np.random.default_rng(1)
    x = (rng.standard_normal((N_USERS, piece)) + 1j * rng.standard_normal((N_USERS, piece))).astype(np.complex64)
    kernel.process(x)
    best = np.inf
    for _ in range(rounds):
        start = time.thread_time()
        for _ in range(count // piece):
            kernel.process(x)
        best = min(best, time.thread_time() - start)
    return 1e-6 * count / best


def _flowgraph(channel, count=1 << 21):
    """Msample/s of each stream through the block between sources and sinks, by the clock."""
    top, block = gr.top_block(), thzum.thz_uplink_channel(channel.parameters())
    for k in range(N_USERS):
        source, head = blocks.null_source(gr.sizeof_gr_complex), blocks.head(gr.sizeof_gr_complex, count)
        top.connect(source, head, (block, k))
    for s in range(channel.n_chains):
        top.connect((block, s), blocks.null_sink(gr.sizeof_gr_complex))
    start = time.perf_counter()
    top.run()
    return 1e-6 * count / (time.perf_counter() - start)


def measure():
    """Msample/s of every stream: kernel on one thread, and the block in a flowgraph."""
    results = {}
    for name, schedule, impaired in (
        ("fixed beam, ideal hardware", False, False),
        ("pilot plan, ideal hardware", True, False),
        ("fixed beam, impaired hardware", False, True),
        ("pilot plan, impaired hardware", True, True),
    ):
        channel = _channel(schedule, impaired)
        results[name] = dict(
            kernel_msamples_per_s=_kernel(channel),
            flowgraph_msamples_per_s=max(_flowgraph(channel) for _ in range(2)),
        )
    return results


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
