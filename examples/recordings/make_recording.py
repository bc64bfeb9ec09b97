#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the shipped recording again: ./run exec python3 examples/recordings/make_recording.py

64 frames of 4 RF chains: 5, 10, 15, 20 dB, 1 to 4 users, gaps of varying length, over 160 channels of
reference_channels.npz (see README.md). The noise floor is the same throughout; the users' power makes the
SNR. Everything is computed in float64 from seeds and rounded to 16 bits last, so the samples come out the
same, bit for bit, wherever it is run.
"""

import argparse
from pathlib import Path

import numpy as np

from gnuradio.thzum.frame import (
    PilotPlan,
    data_bits,
    map_data,
    receive_over_the_air,
    transmit_frame,
)
from gnuradio.thzum.frame.recording import EXTENSION, SHIPPED, plan_to_metadata

FOLDER = Path(__file__).resolve().parent
CHANNEL_FILE = "reference_channels.npz"
ARRAY = "thz300_aosa4x256"
SEED = 300
N_FRAMES = 64
SNR_DB = (5.0, 10.0, 15.0, 20.0)
N_ACTIVE = (4, 1, 3, 2)
GAP = (200, 1500)
SAMPLE_RATE = 10e6
FULL_SCALE = 32768
# One complex noise sample has a standard deviation of 128 steps of the 16-bit format: quantisation stays
# 50 dB below the noise, and the strongest data beam (about 200 times the noise) stays below full scale.
NOISE_STD = 128 / FULL_SCALE


def make_plan():
    """The plan of the recording: 128 of 256 possible slots, under-sampling ratio 0.5."""
    return PilotPlan(ARRAY, n_slots=128, n_users=4, seed=1)


def noise_var_despread(plan):
    """Antenna noise variance after despreading, which averages n_users chips."""
    return NOISE_STD**2 / plan.n_users


def frame_settings(frame):
    """(snr_db, active users, indices of their channels, length of the gap before the frame)."""
    active = [N_ACTIVE[f // len(SNR_DB) % len(N_ACTIVE)] for f in range(frame + 1)]
    rng = np.random.default_rng([SEED, frame, 0])
    users = np.sort(rng.permutation(max(N_ACTIVE))[: active[-1]])
    first = sum(active[:-1])
    gap = int(rng.integers(*GAP))
    return SNR_DB[frame % len(SNR_DB)], users, np.arange(first, first + active[-1]), gap


def train_beams(plan, h, rng):
    """Beam of each subarray: the strongest of a noisy sweep of the codebook on the user it serves.

    Subarray s serves active user s mod n; ``h`` [n, N] are the active users' channels.
    """
    parts = h.reshape(len(h), plan.n_subarrays, plan.n_elements)
    beams = []
    for s in range(plan.n_subarrays):
        noise = rng.standard_normal((2, plan.n_beams)) * NOISE_STD / np.sqrt(2)
        sweep = plan.codebook.astype(complex) @ parts[s % len(h), s] + noise[0] + 1j * noise[1]
        beams.append(int(np.argmax(np.abs(sweep))))
    return beams


def quantise(samples):
    """int16 [t, 2 S] of complex samples [S, t]; RuntimeError when one exceeds full scale."""
    scaled = np.ascontiguousarray(samples.T).view(float) * FULL_SCALE
    peak = np.abs(scaled).max() / FULL_SCALE
    if peak > 1 - 1 / FULL_SCALE:
        raise RuntimeError(f"samples reach {peak:.2f} of full scale; lower NOISE_STD")
    return np.rint(scaled).astype("<i2")


def make_gap(plan, frame, length):
    """Noise alone, int16 [length, 2 S]."""
    rng = np.random.default_rng([SEED, frame, 1])
    noise = rng.standard_normal((2, plan.n_subarrays, length)) * NOISE_STD / np.sqrt(2)
    return quantise(noise[0] + 1j * noise[1])


def make_frame(plan, channels, frame):
    """One frame: (samples int16 [frame_length, 2 S], beams [S], symbol indices int8 [K, n_data], gain)."""
    snr_db, users, rows, _ = frame_settings(frame)
    rng = np.random.default_rng([SEED, frame, 2])
    gain = np.sqrt(noise_var_despread(plan) * 10 ** (snr_db / 10))
    h = gain * channels[rows].reshape(len(rows), -1).astype(complex)
    beams = train_beams(plan, h, rng)
    sent, symbols = map_data(plan, rng.integers(0, 2, (len(users), data_bits(plan))))
    waveforms = [transmit_frame(plan, k, x) for k, x in zip(users, symbols)]
    samples = receive_over_the_air(plan, h, waveforms, beams, NOISE_STD**2, rng)
    indices = np.full((plan.n_users, plan.n_data), -1, np.int8)
    indices[users] = sent
    return quantise(samples), beams, indices, gain


def describe(plan, data_path, annotations):
    """The SigMF metadata of the recording."""
    import sigmf

    meta = sigmf.SigMFFile(
        data_file=str(data_path),
        global_info={
            "core:datatype": "ci16_le",
            "core:num_channels": plan.n_subarrays,
            "core:sample_rate": SAMPLE_RATE,
            "core:author": "the gr-thzum project",
            "core:description": (
                f"Uplink frames of up to {plan.n_users} users at 300 GHz, received by "
                f"{plan.n_subarrays} subarrays of {plan.array.rows}x{plan.array.cols} antennas "
                "with one RF chain each (simulated)."
            ),
            "core:hw": f"simulated: {plan.n_subarrays} RF chains, one combiner each, 16-bit converters",
            "core:license": "https://spdx.org/licenses/CC-BY-4.0.html",
            "core:recorder": "gr-thzum examples/recordings/make_recording.py",
            "core:extensions": [EXTENSION],
            "thzum:plan": plan_to_metadata(plan, ARRAY),
            "thzum:noise_var": noise_var_despread(plan),
        },
    )
    meta.add_capture(0, metadata={"core:frequency": plan.array.carrier_frequency})
    for start, length, entry in annotations:
        meta.add_annotation(start, length, metadata=entry)
    meta.validate()
    return meta


def annotation(plan, frame, snr_db, users, beams):
    """Metadata of one frame."""
    names = ("modulation", "first_symbol", "n_symbols")
    sections = [dict(zip(names, section)) for section in plan.data_sections]
    return {
        "core:label": f"frame {frame}",
        "thzum:frame": frame,
        "thzum:snr_db": snr_db,
        "thzum:users": [int(k) for k in users],
        "thzum:beams": beams,
        "thzum:sections": sections,
    }


def make_recording(folder, n_frames=N_FRAMES):
    """Write data, metadata and truth into ``folder``; returns the path of the metadata."""
    plan = make_plan()
    with np.load(FOLDER / CHANNEL_FILE) as file:
        channels = file["channel"]
    parts, annotations, gains, symbols, start = [], [], [], [], 0
    channel_rows = np.full((n_frames, plan.n_users), -1, np.int16)
    for frame in range(n_frames):
        snr_db, users, rows, gap = frame_settings(frame)
        samples, beams, indices, gain = make_frame(plan, channels, frame)
        parts += [make_gap(plan, frame, gap), samples]
        entry = annotation(plan, frame, snr_db, users, beams)
        annotations.append((start + gap, plan.frame_length, entry))
        start += gap + plan.frame_length
        gains.append(gain)
        symbols.append(indices)
        channel_rows[frame, users] = rows
    parts.append(make_gap(plan, n_frames, GAP[0]))

    meta_path = Path(folder) / SHIPPED
    data_path = meta_path.with_suffix(".sigmf-data")
    np.concatenate(parts).tofile(data_path)
    describe(plan, data_path, annotations).tofile(str(meta_path), overwrite=True)
    np.savez_compressed(
        meta_path.with_suffix(".truth.npz"),
        frame=np.arange(n_frames, dtype=np.int32),
        channel=channel_rows,
        channel_file=CHANNEL_FILE,
        gain=np.array(gains),
        symbols=np.array(symbols),
        noise_var=noise_var_despread(plan),
    )
    return meta_path


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", default=FOLDER, type=Path, help="default: beside this script")
    arguments = parser.parse_args()
    print(make_recording(arguments.folder))


if __name__ == "__main__":
    main()
