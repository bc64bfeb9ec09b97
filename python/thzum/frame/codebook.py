# SPDX-License-Identifier: GPL-3.0-or-later
"""Analog beams of one subarray for the data part of a frame."""

import numpy as np

from ..array.codebook import visible_directions


def dft_codebook(rows, cols, spacing, oversampling=2):
    """Combiner rows of the beams of :func:`visible_directions`, complex64 [n_beams, rows * cols], unit norm.

    A row w is applied without conjugation, y = w . h, so it carries the conjugate of the plane wave that
    it collects. Two-fold oversampling keeps the loss between two beams below 1 dB per axis.
    """
    v, u = visible_directions(rows, cols, spacing, oversampling).T
    row_phase = np.exp(-2j * np.pi * v[:, None] * np.arange(rows))
    col_phase = np.exp(-2j * np.pi * u[:, None] * np.arange(cols))
    beams = row_phase[:, :, None] * col_phase[:, None, :]
    return (beams.reshape(len(u), rows * cols) / np.sqrt(rows * cols)).astype(np.complex64)
