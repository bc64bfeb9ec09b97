# SPDX-License-Identifier: GPL-3.0-or-later
"""Channels that a detector sees behind the analog combiners of an array of subarrays."""

import numpy as np

from ..channel.config import from_config
from ..channel.keys import mapping
from ..frame.codebook import dft_codebook

# Channels over all antennas that are held at once.
_BATCH = 8
# SNR at one antenna for which the beams are chosen; the order of choice depends little on it.
_DESIGN_NOISE_VAR = 1.0


class AosaChannels:
    """Effective channels of the users of a channel model, complex [S, K]: drawn, combined, scaled.

    Every user has ||h||^2 = N (power control). Each subarray takes the beam of the array's code book by which the
    sum rate grows most, as ``effective_channel`` does with combiner "dft" (:func:`~gnuradio.thzum.frame.
    choose_beams`), from the true channels, at 0 dB per antenna. The result is scaled to ||H||^2 = K.

    Args:
        channel: a channel preset's name or the dictionary of a :class:`~gnuradio.thzum.channel.ChannelConfig`,
            without users, frequencies, batch, seed and hardware.
        n_users: users K.
    """

    def __init__(self, channel, n_users):
        given = {"model": channel} if isinstance(channel, str) else dict(mapping("channel", channel))
        for key in ("users", "frequencies", "batch", "seed", "hardware"):
            if key in given:
                raise ValueError(f"channel: expected no key {key!r}, which the experiment decides")
        self._config = from_config({**given, "users": n_users, "normalise": True})
        self.array = self._config.build().array
        self._codebook = dft_codebook(self.array.rows, self.array.cols, self.array.spacing)

    @property
    def n_chains(self):
        """RF chains S."""
        return self.array.n_subarrays

    def draw(self, count, rng):
        """``count`` channels, complex64 [count, S, K]; the same ``rng`` gives the same."""
        parts = []
        for begin in range(0, count, _BATCH):
            drawn = self._config.draw(min(_BATCH, count - begin), int(rng.integers(2**63))).channels
            parts.append(self._combine(np.asarray(drawn, np.complex64)))
        return np.concatenate(parts)

    def _combine(self, h):
        batch, n_users = h.shape[:2]
        h = h.reshape(batch, n_users, self.n_chains, -1)
        # [batch, S, beams, K]: what every beam would see
        seen = self._codebook @ h.transpose(0, 2, 3, 1)
        H = choose_rows(seen, _DESIGN_NOISE_VAR)
        energy = np.sum(np.abs(H) ** 2, axis=(1, 2), keepdims=True)
        return (H * np.sqrt(n_users / energy)).astype(np.complex64)


def choose_rows(seen, noise_var):
    """Rows [B, S, K] by which the sum rate grows most, out of ``seen`` [B, S, beams, K], subarray by subarray."""
    batch, n_chains, _, n_users = seen.shape
    uncertainty = np.broadcast_to(np.eye(n_users, dtype=seen.dtype), (batch, n_users, n_users)).copy()
    chosen, at = np.empty((batch, n_chains, n_users), seen.dtype), np.arange(batch)
    for s in range(n_chains):
        rows = seen[:, s]
        grown = rows @ uncertainty
        energy = np.sum((grown * rows.conj()).real, axis=-1)
        best = np.argmax(energy, axis=-1)
        chosen[:, s] = rows[at, best]
        grown = grown[at, best]
        shrink = (noise_var + energy[at, best])[:, None, None]
        uncertainty -= grown.conj()[:, :, None] * grown[:, None, :] / shrink
    return chosen
