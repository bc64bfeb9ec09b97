# SPDX-License-Identifier: GPL-3.0-or-later
"""Analog beams of one subarray for the data part of a frame."""

import numpy as np


def visible_directions(rows, cols, spacing, oversampling=2):
    """Beam directions in cycles per element, float64 [n_beams, 2] as (row axis, column axis).

    They lie on the grid of a 2-D DFT of ``oversampling * rows`` by ``oversampling * cols`` bins, inside
    the disc |u| <= ``spacing`` (element spacing in wavelengths) that plane waves can occupy.
    """
    if int(oversampling) != oversampling or oversampling < 1:
        raise ValueError(f"oversampling: expected an integer of at least 1, got {oversampling!r}")
    if not (np.isfinite(spacing) and spacing > 0):
        raise ValueError(f"spacing: expected a positive number of wavelengths, got {spacing!r}")

    def axis(size):
        bins = int(oversampling) * size
        bin_number = np.arange(-(bins // 2), (bins + 1) // 2)
        return bin_number / bins

    v, u = np.meshgrid(axis(rows), axis(cols), indexing="ij")
    seen = u**2 + v**2 <= spacing**2
    return np.stack([v[seen], u[seen]], axis=1)


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
