# SPDX-License-Identifier: GPL-3.0-or-later
"""Oscillators: phase noise and carrier frequency offset."""

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from .checks import boolean, integer, real
from .stream import StreamModel, rotate

# Corner frequencies of the flicker noise lie this factor apart; the ripple of the 1/f law that a sum of
# such Lorentzians leaves is 2 sech(pi^2 / ln 4) = 0.3 %.
_CORNER_RATIO = 4.0


@dataclass
class PhaseNoise(StreamModel):
    """Oscillator phase noise with the two-sided spectrum S(f) = k0 + k2 / f^2 + k3 / |f|^3 in rad^2/Hz.

    y[k] = x[k] exp(j phi[k]). The floor k0 is white over the sampled band, of variance k0 * sample_rate
    (at sub-THz bandwidths it outweighs the rest). The k2 term is a Wiener process whose increments have
    the variance 4 pi^2 k2 / sample_rate; its carrier is Lorentzian with a full 3 dB width of 2 pi k2 Hz
    (Demir, Mehrotra, Roychowdhury, IEEE TCAS-I 2000). The k3 term integrates 1/f frequency noise, a sum
    of first-order processes; it keeps to its law within 5 % from ``flicker_low`` to sample_rate / 5. Well
    below it goes over to 1 / f^2, and near sample_rate / 2 it is too strong, by up to a factor of 2.6.

    Attributes:
        sample_rate: in Hz.
        k0: floor in rad^2/Hz.
        k2: in rad^2 Hz.
        k3: in rad^2 Hz^2.
        linewidth: 3 dB linewidth (full width) in Hz, in place of k2 = linewidth / (2 pi).
        flicker_low: lowest frequency in Hz at which the k3 law holds; None is sample_rate / 1e6.
        shared: True for one oscillator that feeds all RF chains, False for one each.
        seed: of the noise.
    """

    sample_rate: float
    k0: float = 0.0
    k2: float = 0.0
    k3: float = 0.0
    linewidth: float | None = None
    flicker_low: float | None = None
    shared: bool = False
    seed: int = 0

    def __post_init__(self):
        self.sample_rate = real("sample_rate", self.sample_rate, above=0)
        for name in ("k0", "k2", "k3"):
            setattr(self, name, real(name, getattr(self, name), low=0))
        if self.linewidth is not None:
            self.linewidth = real("linewidth", self.linewidth, low=0)
            if self.k2:
                raise ValueError(f"linewidth: expected either linewidth or k2, got both (k2 = {self.k2:g})")
        if self.flicker_low is not None:
            self.flicker_low = real("flicker_low", self.flicker_low, above=0)
            if self.flicker_low >= self.sample_rate / 5:
                raise ValueError(
                    f"flicker_low: expected below a fifth of the sample rate, {self.sample_rate / 5:g} Hz, "
                    f"got {self.flicker_low:g}"
                )
        self.shared = boolean("shared", self.shared)
        self.seed = integer("seed", self.seed, 0)
        self.reset()

    @property
    def wiener_k2(self):
        """The coefficient of 1/f^2 in force, in rad^2 Hz."""
        return self.k2 if self.linewidth is None else self.linewidth / (2 * np.pi)

    @property
    def floor_variance(self):
        """Variance of the white part in rad^2."""
        return self.k0 * self.sample_rate

    @property
    def increment_variance(self):
        """Variance of one step of the Wiener part in rad^2."""
        return 4 * np.pi**2 * self.wiener_k2 / self.sample_rate

    def spectrum(self, frequency):
        """S(f) in rad^2/Hz at ``frequency`` in Hz (not zero)."""
        f = np.abs(np.asarray(frequency, float))
        return self.k0 + self.wiener_k2 / f**2 + self.k3 / f**3

    def _corners(self):
        if not self.k3:
            return np.empty(0)
        # Sampled processes of higher corners would alias; the ones that stop at a fifth of the sample rate
        # alias by as much as the missing ones would have given. A tenth of the lowest frequency misses 3 %.
        low = self.sample_rate / 1e6 if self.flicker_low is None else self.flicker_low
        high = self.sample_rate / 5
        count = int(np.ceil(np.log(10 * high / low) / np.log(_CORNER_RATIO))) + 1
        return high * _CORNER_RATIO ** -np.arange(float(count))

    def _start(self, rows):
        self._oscillators = 1 if self.shared else rows
        self._rng = np.random.default_rng([self.seed, 1])
        self._walk = np.zeros(self._oscillators)
        self._pole = np.exp(-2 * np.pi * self._corners() / self.sample_rate)
        # Equal variances at logarithmic spacing: sum_i 2 k3 ln(r) fc_i / (pi (fc_i^2 + f^2)) = k3 / f.
        self._deviation = np.sqrt(2 * self.k3 * np.log(_CORNER_RATIO))
        start = self._rng.standard_normal((len(self._pole), self._oscillators))
        self._memory = self._pole[:, None] * self._deviation * start

    def _process(self, x):
        # Drawn in order of time, so that pieces of a stream continue the same sequence.
        draws = self._rng.standard_normal((x.shape[1], self._oscillators, 2 + len(self._pole)))
        step = np.sqrt(self.increment_variance) * draws[..., 0]
        for i, pole in enumerate(self._pole):
            drive = self._deviation * np.sqrt(1 - pole**2) * draws[..., 2 + i]
            deviation, last = lfilter([1.0], [1.0, -pole], drive, axis=0, zi=self._memory[i : i + 1])
            self._memory[i] = last[0]
            step += 2 * np.pi / self.sample_rate * deviation
        step[0] += self._walk
        walk = np.cumsum(step, axis=0)
        self._walk = walk[-1].copy()
        phase = walk + np.sqrt(self.floor_variance) * draws[..., 1]
        return rotate(x, np.ascontiguousarray(phase.T))


@dataclass
class FrequencyOffset(StreamModel):
    """Carrier frequency offset: y[k] = x[k] exp(j (2 pi offset k / sample_rate + phase)).

    The ramp is evaluated from the sample's index, not accumulated: after k samples its error is below
    k * |offset / sample_rate| * 1.2e-16 cycles.

    Attributes:
        sample_rate: in Hz.
        offset: in Hz.
        phase: of the first sample in rad.
    """

    sample_rate: float
    offset: float
    phase: float = 0.0

    def __post_init__(self):
        self.sample_rate = real("sample_rate", self.sample_rate, above=0)
        self.offset = real("offset", self.offset)
        self.phase = real("phase", self.phase)
        self.reset()

    def _start(self, rows):
        self._index = 0

    def _process(self, x):
        index = np.arange(self._index, self._index + x.shape[1])
        self._index += x.shape[1]
        cycles = np.remainder(index * (self.offset / self.sample_rate), 1.0)
        return rotate(x, 2 * np.pi * cycles + self.phase)
