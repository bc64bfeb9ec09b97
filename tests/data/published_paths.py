# SPDX-License-Identifier: GPL-3.0-or-later
"""published_paths.py OUT.mat published_paths.npz: what record_published_paths.m saved, antennas in our order."""

import sys

import numpy as np
from scipy.io import loadmat


def by_subarray(channel):
    """[B, y, x] over the whole array of 2 x 2 subarrays to [B, S, rows, cols]."""
    batch, side = len(channel), channel.shape[-1] // 2
    blocks = channel.reshape(batch, 2, side, 2, side).swapaxes(2, 3)
    return blocks.reshape(batch, 4, side, side).astype(np.complex64)


def main(source, target):
    record = loadmat(source)
    np.savez_compressed(
        target,
        draws=record["draws"],
        channel=by_subarray(record["channel"]),
        near_draws=record["near_draws"],
        near_channel=by_subarray(record["near_channel"]),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
