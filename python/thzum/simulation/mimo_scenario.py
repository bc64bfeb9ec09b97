# SPDX-License-Identifier: GPL-3.0-or-later
"""What is simulated when data are detected: a random MIMO channel, its users' symbols and what the receiver knows."""

from dataclasses import asdict, dataclass

import numpy as np

from ..channel.hardware.checks import integer, real
from ..channel.keys import one_of
from ..thzum_python import constellation_points, constellations
from .aosa_channels import AosaChannels
from .entries import from_name_or_dict
from .plain import plain

# No error at all, in dB.
_NO_ERROR_DB = -300.0


@dataclass(frozen=True)
class MimoScenario:
    """Channels of unit mean column energy, a new one for each vector.

    SNR is E||Hx||^2 / E||n||^2, so the noise variance is (n_tx/n_rx)/SNR.

    Attributes:
        n_rx, n_tx: RF chains and users, from 1.
        channel: None for Gaussian channels; or a channel preset's name or the dictionary of a
            :class:`~gnuradio.thzum.channel.ChannelConfig`, for its users behind the combiners of n_rx subarrays
            (:class:`~gnuradio.thzum.simulation.aosa_channels.AosaChannels`).
        constellation: a name of ``thzum.constellations()``.
        name: what results call it; default: "32x24 qpsk".
        rx_correlation, tx_correlation: correlation of neighbours, r^|i-j| between the i-th and j-th (Kronecker
            model), from 0 and below 1; of Gaussian channels.
        csi_error_db: variance of the error of each channel entry over that of the entry, in dB; None = none.
        noise_error_db: what the detector takes for the noise variance, over the true one, in dB.
    """

    n_rx: int = 32
    n_tx: int = 24
    constellation: str = "qpsk"
    name: str = ""
    channel: str | dict | None = None
    rx_correlation: float = 0.0
    tx_correlation: float = 0.0
    csi_error_db: float | None = None
    noise_error_db: float = 0.0

    def __post_init__(self):
        set_field = object.__setattr__.__get__(self)
        for size in ("n_rx", "n_tx"):
            set_field(size, integer(size, getattr(self, size), 1, 1024))
        one_of("constellation", self.constellation, constellations())
        if not isinstance(self.name, str):
            raise ValueError(f"name: expected text, got {self.name!r}")
        set_field("name", self.name or f"{self.n_rx}x{self.n_tx} {self.constellation}")
        for side in ("rx_correlation", "tx_correlation"):
            set_field(side, real(side, getattr(self, side), low=0, high=0.9999))
        if self.csi_error_db is not None:
            set_field("csi_error_db", real("csi_error_db", self.csi_error_db, low=_NO_ERROR_DB, high=20))
        if self.channel is not None:
            self._check_channel()
        set_field("noise_error_db", real("noise_error_db", self.noise_error_db, low=-60, high=60))

    def _check_channel(self):
        object.__setattr__(self, "channel", plain("channel", self.channel))
        if self.rx_correlation or self.tx_correlation:
            raise ValueError("rx_correlation, tx_correlation: expected 0 beside a channel, which has its own")
        chains = AosaChannels(self.channel, self.n_tx).n_chains
        if chains != self.n_rx:
            raise ValueError(f"n_rx: expected {chains}, the subarrays of the channel's array, got {self.n_rx}")

    @classmethod
    def from_dict(cls, config):
        """A scenario from a constellation's name (32 x 24) or from a dictionary of the attributes."""
        return from_name_or_dict(cls, "scenario", config, "constellation")

    def to_dict(self):
        """The dictionary from which :meth:`from_dict` makes the same scenario."""
        return {key: value for key, value in asdict(self).items() if value is not None}

    def noise_var(self, snr_db):
        """Variance of a complex receive sample at an SNR in dB."""
        return self.n_tx / self.n_rx / 10 ** (snr_db / 10)

    def channels(self, count, rng):
        """``count`` channels as they are and as the receiver knows them, complex64 [count, n_rx, n_tx] each."""
        shape = count, self.n_rx, self.n_tx
        if self.channel is not None:
            H = AosaChannels(self.channel, self.n_tx).draw(count, rng)
        else:
            H = complex_normal(rng, shape) / np.float32(np.sqrt(self.n_rx))
        if self.rx_correlation:
            H = _correlation_root(self.n_rx, self.rx_correlation) @ H
        if self.tx_correlation:
            H = H @ _correlation_root(self.n_tx, self.tx_correlation)
        if self.csi_error_db is None:
            return H, H
        spread = np.sqrt(10 ** (self.csi_error_db / 10) / self.n_rx)
        return H, H + np.float32(spread) * complex_normal(rng, shape)

    def symbols(self, count, rng):
        """Sent symbols, int [count, n_tx], and their points, complex64."""
        points = constellation_points(self.constellation)
        sent = rng.integers(0, len(points), (count, self.n_tx))
        return sent, points[sent]


def complex_normal(rng, shape):
    """Circular Gaussian of unit variance, complex64."""
    parts = rng.standard_normal((*shape, 2), dtype=np.float32) * np.float32(np.sqrt(0.5))
    return parts.view(np.complex64)[..., 0]


def _correlation_root(n, r):
    """Symmetric square root of the matrix r^|i-j|, float32."""
    values, vectors = np.linalg.eigh(r ** np.abs(np.subtract.outer(np.arange(n), np.arange(n))))
    return ((vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T).astype(np.float32)
