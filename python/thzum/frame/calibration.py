# SPDX-License-Identifier: GPL-3.0-or-later
"""Gains of the RF chains from pilots of a transmitter whose channel is known."""

import numpy as np


def chain_gains(y, reference, n_subarrays):
    """Gains of the RF chains relative to one another, from pilots through a known channel.

    Chain s receives y_f[s] = p_f g[s] reference[s] + noise in frame f, p_f being whatever all chains share (phase,
    power). The least-squares gains of every frame, a_f[s], lie along one direction; that with most energy,
    each chain weighted by its reference's energy (and so by the inverse of its noise), is the maximum-likelihood
    estimate of g up to a factor. The factor is chosen such that the mean of |g|^2 is one and the sum of g real.

    Args:
        y: despread pilots of the transmitter, complex [F, M], one row a frame, subarray after subarray.
        reference: the pilots that its channel gives without noise, complex [M]: ``plan.operator.measure(h)``.
        n_subarrays: S; M is a multiple of it.

    Returns:
        complex128 [S], to be given to ``frame_sync`` as ``calibration``, which divides by it.

    Raises:
        ValueError: naming the argument, what was expected and what came; also when a chain gives nothing.
    """
    reference = np.asarray(reference, complex)
    if reference.ndim != 1 or not reference.size or reference.size % n_subarrays or not np.isfinite(reference).all():
        raise ValueError(
            f"reference: expected finite pilots [M] of {n_subarrays} subarrays, got shape {reference.shape}")
    y = np.atleast_2d(np.asarray(y, complex))
    if y.ndim != 2 or y.shape[1] != reference.size or not len(y) or not np.isfinite(y).all():
        raise ValueError(f"y: expected finite pilots [F, {reference.size}], got shape {y.shape}")
    reference, y = reference.reshape(n_subarrays, -1), y.reshape(len(y), n_subarrays, -1)
    energy = np.sum(np.abs(reference) ** 2, axis=1)
    if not energy.all():
        raise ValueError(f"reference: expected a signal at every subarray, got none at {np.argmin(energy)}")
    scale = np.sqrt(energy)
    weighted = np.einsum("sq,fsq->fs", reference.conj(), y) / scale
    gains = np.linalg.svd(weighted, full_matrices=False)[2][0] / scale
    if not np.abs(gains).all():
        raise ValueError(f"y: expected a signal in every chain, got none in {np.argmin(np.abs(gains))}")
    gains /= np.sqrt(np.mean(np.abs(gains) ** 2))
    total = gains.sum()
    return gains if total == 0 else gains * (total.conj() / abs(total))
