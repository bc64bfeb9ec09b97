# SPDX-License-Identifier: GPL-3.0-or-later
"""Which beam each subarray takes for the data of many users."""

import numpy as np

from ..channel.hardware.checks import real


def choose_beams(h, codebook, noise_var):
    """Beams that keep the users apart: indices [S] into the code book, one per subarray.

    The subarrays choose in turn, each the beam with which the sum rate log2 det(I + H^H H / noise_var) of the
    effective channel H [S, K] so far grows most. With P = (I + H^H H / noise_var)^-1 a further row r of H adds
    log2(1 + r P r^H / noise_var), so the rank-one quantity decides. The strongest beam of each subarray by itself
    would often be the same in all of them, and a channel of many users and a few directions has no inverse.

    Args:
        h: channels of the users, complex [K, S * n] in the order [subarray][element].
        codebook: rows [n_beams, n], applied without conjugation, such as ``plan.codebook``.
        noise_var: antenna noise variance of a data sample, above 0.

    Returns:
        a list of S integers.

    Raises:
        ValueError: naming the argument, what was expected and what came.
    """
    codebook = np.asarray(codebook, complex)
    if codebook.ndim != 2 or not codebook.size or not np.isfinite(codebook).all():
        raise ValueError(f"codebook: expected finite rows [n_beams, n], got shape {codebook.shape}")
    h = np.asarray(h, complex)
    n = codebook.shape[1]
    if h.ndim != 2 or not h.size or h.shape[1] % n or not np.isfinite(h).all():
        raise ValueError(f"h: expected finite channels [K, S * {n}], got shape {h.shape}")
    real("noise_var", noise_var, above=0)
    gains = np.einsum("bn,ksn->sbk", codebook, h.reshape(len(h), -1, n))
    uncertainty = np.eye(len(h), dtype=complex)
    beams = []
    for rows in gains:
        grown = rows @ uncertainty
        energy = np.einsum("bk,bk->b", grown, rows.conj()).real
        best = int(np.argmax(energy))
        beams.append(best)
        grown = grown[best]
        uncertainty -= np.outer(grown.conj(), grown) / (noise_var + energy[best])
    return beams
