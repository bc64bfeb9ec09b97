# SPDX-License-Identifier: GPL-3.0-or-later
"""Recordings of frames without preamble of plans that no shipped recording has, for benchmarks and tests."""

import json

import numpy as np
from gnuradio.thzum.array import array_preset
from gnuradio.thzum.channel import draw_users, preset, response
from gnuradio.thzum.frame import PilotPlan, receive_over_the_air, serving_beams, transmit_frame
from gnuradio.thzum.frame.recording import plan_to_metadata
from gnuradio.thzum.frame.transmitter import data_bits, map_data


def record(path, array, n_frames, noise_var=1e-3, **settings):
    """Write ``n_frames`` frames of the plan ``PilotPlan(array, **settings)``, all its users at the same power.

    Returns:
        the metadata file.
    """
    plan, rng = PilotPlan(array, **settings), np.random.default_rng(1)
    h = response(array_preset(array), draw_users(preset(array), plan.n_users, 1, seed=2))[0]
    beams = serving_beams(plan, h).tolist()
    frames = []
    for _ in range(n_frames):
        _, x = map_data(plan, rng.integers(0, 2, (plan.n_users, data_bits(plan))))
        sent = np.array([transmit_frame(plan, user, symbols) for user, symbols in enumerate(x)])
        frames.append(receive_over_the_air(plan, h, sent, beams, noise_var, rng).T)
    facts = {"core:sample_count": plan.frame_length, "thzum:users": list(range(plan.n_users)), "thzum:beams": beams}
    entries = {
        "core:datatype": "cf32_le", "core:version": "1.2.6", "core:num_channels": plan.n_subarrays,
        "thzum:plan": plan_to_metadata(plan, array),
    }
    annotations = [{"core:sample_start": n * plan.frame_length, "thzum:frame": n, **facts} for n in range(n_frames)]
    path.with_suffix(".sigmf-meta").write_text(
        json.dumps({"global": entries, "captures": [{"core:sample_start": 0}], "annotations": annotations})
    )
    np.concatenate(frames).astype(np.complex64).tofile(path.with_suffix(".sigmf-data"))
    return path.with_suffix(".sigmf-meta")
