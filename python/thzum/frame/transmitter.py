# SPDX-License-Identifier: GPL-3.0-or-later
"""What users send and what the RF chains of the array then receive."""

import numpy as np

from .constellation import bits_per_symbol, bits_to_indices, constellation


def map_data(plan, bits):
    """Data bits of one or more users to (symbol indices int32, symbols complex64), both [..., n_data].

    ``bits`` [..., n] of 0 and 1 fill the sections of ``plan.data_sections`` one after the other; n must be
    :func:`data_bits`.
    """
    bits = np.asarray(bits)
    if bits.shape[-1:] != (data_bits(plan),):
        raise ValueError(f"bits: expected {data_bits(plan)} on the last axis, got shape {bits.shape}")
    indices, start = [], 0
    for name, _, length in plan.data_sections:
        n_bits = bits_per_symbol(name)
        indices.append(bits_to_indices(bits[..., start : start + length * n_bits], n_bits))
        start += length * n_bits
    indices = np.concatenate(indices, axis=-1)
    return indices, map_indices(plan, indices)


def data_bits(plan):
    """Bits that one user sends in one frame."""
    return sum(length * bits_per_symbol(name) for name, _, length in plan.data_sections)


def map_indices(plan, indices):
    """Symbols complex64 [..., n_data] of symbol ``indices`` [..., n_data]."""
    indices = np.asarray(indices)
    if indices.shape[-1:] != (plan.n_data,):
        raise ValueError(f"indices: expected {plan.n_data} on the last axis, got shape {indices.shape}")
    parts = [constellation(name)[indices[..., a : a + n]] for name, a, n in plan.data_sections]
    return np.concatenate(parts, axis=-1).astype(np.complex64)


def transmit_frame(plan, user, symbols):
    """Baseband of one frame of ``user``, complex64 [frame_length].

    It is silence, the user's pilots and its data ``symbols`` [n_data].
    """
    if not 0 <= user < plan.n_users:
        raise ValueError(f"user: expected 0 to {plan.n_users - 1}, got {user!r}")
    symbols = np.asarray(symbols, np.complex64)
    if symbols.shape != (plan.n_data,):
        raise ValueError(f"symbols: expected shape ({plan.n_data},), got {symbols.shape}")
    pilots = np.tile(plan.user_sequences[user], plan.n_slots)
    return np.concatenate([np.zeros(plan.n_noise, np.complex64), pilots, symbols])


def frame_combiner(plan, beams):
    """Combiner row in force at each sample of a frame, complex64 [S, frame_length, n].

    ``beams`` [S] are the codebook indices of the data part. The silent part, which carries noise alone,
    is received through the combiner of the first slot.
    """
    beams = np.asarray(beams)
    if beams.shape != (plan.n_subarrays,) or not ((0 <= beams) & (beams < plan.n_beams)).all():
        raise ValueError(
            f"beams: expected {plan.n_subarrays} indices from 0 to {plan.n_beams - 1}, got {beams.tolist()}"
        )
    silent = np.repeat(plan.combiner[:, :1], plan.n_noise, axis=1)
    pilots = np.repeat(plan.combiner, plan.n_users, axis=1)
    data = np.repeat(plan.codebook[beams][:, None], plan.n_data, axis=1)
    return np.concatenate([silent, pilots, data], axis=1)


def receive_over_the_air(plan, h, waveforms, beams, noise_var, rng):
    """Samples of the RF chains, complex128 [S, frame_length].

    x[s,t] = c[s,t] . (sum_k h[k,s] x_k[t] + w[s,t]) with antenna noise w drawn afresh for every sample.
    c . w of white noise is white again with variance ``noise_var`` ||c||^2, which is what is drawn.

    Args:
        h: channels [n, N] of the users that send.
        waveforms: [n, frame_length] from :func:`transmit_frame`.
        beams: codebook indices [S] of the data part.
        noise_var: antenna noise variance of one sample, >= 0.
        rng: ``numpy.random.Generator``.
    """
    h = np.asarray(h)
    if h.ndim != 2 or h.shape[1] != plan.n_antennas:
        raise ValueError(f"h: expected shape [n, {plan.n_antennas}], got {h.shape}")
    waveforms = np.asarray(waveforms)
    if waveforms.shape != (len(h), plan.frame_length):
        raise ValueError(f"waveforms: expected shape {(len(h), plan.frame_length)}, got {waveforms.shape}")
    if not (np.isfinite(noise_var) and noise_var >= 0):
        raise ValueError(f"noise_var: expected a number >= 0, got {noise_var!r}")
    c = frame_combiner(plan, beams).astype(complex)
    h = h.reshape(len(h), plan.n_subarrays, plan.n_elements)
    signal = np.einsum("stn,ksn,kt->st", c, h, waveforms, optimize="greedy")
    noise = rng.standard_normal((2,) + signal.shape)
    row_norm = np.linalg.norm(c, axis=2)
    return signal + np.sqrt(noise_var / 2) * row_norm * (noise[0] + 1j * noise[1])
