# SPDX-License-Identifier: GPL-3.0-or-later
"""Reference receiver of one frame in NumPy: the oracle of the block ``pilot_receiver``."""

from dataclasses import dataclass

import numpy as np


@dataclass
class ReceivedFrame:
    """What a receiver takes out of one frame.

    Attributes:
        y: pilot observations of the users, complex128 [K, M], ordered [subarray][slot].
        data: data samples, complex128 [n_data, S].
        noise_var: antenna noise variance that fits y = A h + noise, float.
    """

    y: np.ndarray
    data: np.ndarray
    noise_var: float


def despread(plan, pilots):
    """Observations complex [K, M] from pilot samples [S, Q * P].

    y_k[s,q] = (1/P) sum_p x[s,q,p] conj(s_k[p]) for the orthogonal sequences s_k of the users.
    """
    chips = np.asarray(pilots).reshape(plan.n_subarrays, plan.n_slots, plan.n_users)
    y = np.einsum("sqp,kp->ksq", chips, plan.user_sequences.conj()) / plan.n_users
    return y.reshape(plan.n_users, plan.n_observations)


def receive_frame(plan, samples):
    """Split and despread the ``samples`` [S, frame_length] of one frame into a :class:`ReceivedFrame`.

    The noise variance is the mean power of the silent samples over the mean ||c||^2 of the combiner in
    force, divided by P because despreading averages P chips.
    """
    samples = np.asarray(samples, complex)
    wanted = (plan.n_subarrays, plan.frame_length)
    if samples.shape != wanted:
        raise ValueError(f"samples: expected shape {wanted}, got {samples.shape}")
    if not np.isfinite(samples).all():
        raise ValueError("samples: expected finite numbers, got NaN or infinity")
    row_energy = np.sum(np.abs(plan.combiner[:, 0]) ** 2, axis=1)
    power = np.mean(np.abs(samples[:, : plan.n_noise]) ** 2, axis=1)
    return ReceivedFrame(
        y=despread(plan, samples[:, plan.pilot_offset : plan.data_offset]),
        data=samples[:, plan.data_offset :].T,
        noise_var=float(np.mean(power / row_energy)) / plan.n_users,
    )


def effective_channel(plan, h, beams):
    """Channel behind the data beams, complex128 [S, K]: column k is the beams' response to ``h`` [K, N]."""
    h = np.asarray(h).reshape(-1, plan.n_subarrays, plan.n_elements)
    return np.einsum("sn,ksn->sk", plan.codebook[np.asarray(beams)], h)


def serving_beams(plan, h):
    """Codebook indices int64 [S] of data beams for the channels ``h`` [K, N]: subarray s serves user s mod K.

    Each is the beam that collects most of its user's power at that subarray, as beam training finds it.
    """
    h = np.asarray(h).reshape(-1, plan.n_subarrays, plan.n_elements)
    s = np.arange(plan.n_subarrays)
    return np.argmax(np.abs(h[s % len(h), s] @ plan.codebook.T), axis=1)
