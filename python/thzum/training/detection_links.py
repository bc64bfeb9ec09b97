# SPDX-License-Identifier: GPL-3.0-or-later
"""Random uses of MIMO channels, as real-valued models, for training and validating detectors."""

from dataclasses import dataclass

import numpy as np
import torch

#: Axes, levels of an axis, and SNR after matched filtering (dB) at which a lone user has a symbol error rate of 1e-3.
MODULATIONS = {
    "bpsk": (1, 2, 6.8),
    "qpsk": (2, 2, 10.3),
    "16qam": (2, 4, 17.6),
    "64qam": (2, 8, 23.8),
    "256qam": (2, 16, 29.9),
}


@dataclass
class Link:
    """What one batch of channel uses is drawn from.

    Attributes:
        n_rx, n_tx: antennas and users.
        modulation: a key of :data:`MODULATIONS`.
        snr_db: E||Hx||^2 / E||n||^2 of an i.i.d. channel.
        correlation_rx, correlation_tx: exponential (Kronecker) correlation coefficients, 0 to below 1.
        csi_error_db: power of the error of the known channel relative to the channel; -inf for none.
        noise_error_db: the noise variance told to the detector, relative to the true one.
        gain_spread_db: standard deviation of the users' powers in dB.
    """

    n_rx: int
    n_tx: int
    modulation: str
    snr_db: float
    correlation_rx: float = 0.0
    correlation_tx: float = 0.0
    csi_error_db: float = -np.inf
    noise_error_db: float = 0.0
    gain_spread_db: float = 0.0


@dataclass
class Batch:
    """Real-valued models scaled so that the levels are the odd integers and columns have unit energy on average.

    Attributes:
        matched: H^T y, [B, n].
        gram: H^T H, [B, n, n].
        noise_var: noise variance of a row as told to the detector, [B, 1].
        rows: rows of the real model.
        levels: [L].
        sent: indices into ``levels``, [B, n].
    """

    matched: torch.Tensor
    gram: torch.Tensor
    noise_var: torch.Tensor
    rows: int
    levels: torch.Tensor
    sent: torch.Tensor


def half_spacing(axes, n_levels):
    """Half the distance of neighbouring levels of an axis at unit symbol energy."""
    return float(np.sqrt(3.0 / (axes * (n_levels**2 - 1.0))))


def _correlate(matrix, coefficient, axis):
    if coefficient == 0.0:
        return matrix
    size = matrix.shape[axis]
    distance = np.abs(np.arange(size)[:, None] - np.arange(size))
    values, vectors = np.linalg.eigh(float(coefficient) ** distance)
    root = (vectors * np.sqrt(values)) @ vectors.T
    return root @ matrix if axis == 1 else matrix @ root


def draw_complex(link, count, rng):
    """Channel uses as the detectors of the module take them.

    Returns:
        known H [B, n_rx, n_tx], y [B, n_rx], told noise variance, sent level indices [B, axes * n_tx].
    """
    axes, n_levels, _ = MODULATIONS[link.modulation]

    def normal(*shape):
        return rng.standard_normal((*shape, 2), dtype=np.float32).view(np.complex64)[..., 0] * np.float32(np.sqrt(0.5))

    H = normal(count, link.n_rx, link.n_tx) / np.float32(np.sqrt(link.n_rx))
    H = _correlate(_correlate(H, link.correlation_rx, 1), link.correlation_tx, 2)
    if link.gain_spread_db > 0:
        H = H * 10 ** (link.gain_spread_db * rng.standard_normal((count, 1, link.n_tx)) / 20)
    sent = rng.integers(0, n_levels, (count, axes * link.n_tx))
    amplitudes = half_spacing(axes, n_levels) * (2 * sent - (n_levels - 1))
    if axes == 2:
        x = amplitudes[:, : link.n_tx] + 1j * amplitudes[:, link.n_tx :]
    else:
        x = amplitudes * (1 + 1j) / np.sqrt(2)
    noise_var = link.n_tx / link.n_rx / 10 ** (link.snr_db / 10)
    y = (H @ x[..., None])[..., 0] + np.sqrt(noise_var) * normal(count, link.n_rx)
    error = normal(count, link.n_rx, link.n_tx) * np.sqrt(10 ** (link.csi_error_db / 10) / link.n_rx)
    told = noise_var * 10 ** (link.noise_error_db / 10)
    return (H + error).astype(np.complex64), y.astype(np.complex64), told, sent


def real_batch(H, y, noise_var, modulation, sent):
    """:class:`Batch` of complex channel uses."""
    axes, n_levels, _ = MODULATIONS[modulation]
    energy = np.mean(np.sum(np.abs(H) ** 2, axis=1), axis=1)[:, None]
    scale = half_spacing(axes, n_levels)
    turned = H * np.complex64(np.sqrt(0.5) * (1 + 1j)) if axes == 1 else H
    columns = [np.concatenate([turned.real, turned.imag], axis=1)]
    if axes == 2:
        columns.append(np.concatenate([-H.imag, H.real], axis=1))
    real = torch.from_numpy(np.concatenate(columns, axis=2) / np.sqrt(energy)[:, :, None])
    received = torch.from_numpy(np.concatenate([y.real, y.imag], axis=1) / (np.sqrt(energy) * scale))
    transposed = real.transpose(1, 2)
    return Batch(
        matched=torch.bmm(transposed, received[..., None])[..., 0],
        gram=torch.bmm(transposed, real),
        noise_var=torch.from_numpy((0.5 * noise_var / (energy * scale**2)).astype(np.float32)),
        rows=real.shape[1],
        levels=torch.arange(n_levels, dtype=torch.float32) * 2 - (n_levels - 1),
        sent=torch.from_numpy(sent),
    )


def draw(link, count, rng):
    """:class:`Batch` of ``count`` independent uses of ``link``."""
    H, y, noise_var, sent = draw_complex(link, count, rng)
    return real_batch(H, y, noise_var, link.modulation, sent)


def working_snr_db(modulation, n_rx, n_tx, correlation=0.0):
    """SNR at which a good detector has a symbol error rate of about 1e-3 (a rule of thumb that spans the training)."""
    load = n_tx / n_rx
    lone = MODULATIONS[modulation][2] + 10 * np.log10(load)
    return lone + 2.0 * load**4 + 9.0 * correlation**2


#: Probability of each modulation in the training mixture.
SHARES = {"16qam": 0.5, "qpsk": 0.2, "64qam": 0.2, "256qam": 0.05, "bpsk": 0.05}


def _random_size(rng):
    """A pair (n_rx, n_tx); 32 x 24, the test point for sizes never seen, is left out."""
    n_rx = int(rng.choice([16, 24, 32, 48, 64], p=[0.08, 0.1, 0.67, 0.1, 0.05]))
    while True:
        load = rng.choice([rng.uniform(0.25, 1.0), rng.uniform(0.6, 0.9), 1.0], p=[0.3, 0.4, 0.3])
        n_tx = max(8, int(round(load * n_rx)))
        if (n_rx, n_tx) != (32, 24):
            return n_rx, n_tx


def random_link(rng, sizes=(), modulations=()):
    """A link of the training mixture.

    Args:
        sizes: pairs (n_rx, n_tx) to choose from, equally likely, instead of those of the mixture.
        modulations: keys of :data:`SHARES` to keep, in the same proportions, instead of all.
    """
    names = list(modulations or SHARES)
    shares = np.array([SHARES[name] for name in names])
    modulation = rng.choice(names, p=shares / shares.sum())
    n_rx, n_tx = sizes[rng.integers(len(sizes))] if sizes else _random_size(rng)
    link = Link(n_rx, n_tx, str(modulation), 0.0)
    if rng.random() < 0.3:
        link.correlation_rx = rng.uniform(0.0, 0.75)
        link.correlation_tx = link.correlation_rx * rng.integers(0, 2)
    if rng.random() < 0.15:
        link.csi_error_db = rng.uniform(-26.0, -13.0)
    if rng.random() < 0.2:
        link.noise_error_db = rng.uniform(-2.5, 2.5)
    if rng.random() < 0.15:
        link.gain_spread_db = rng.uniform(0.5, 4.0)
    correlation = np.hypot(link.correlation_rx, link.correlation_tx)
    link.snr_db = working_snr_db(link.modulation, n_rx, n_tx, correlation) + rng.uniform(-3.0, 1.5)
    return link
