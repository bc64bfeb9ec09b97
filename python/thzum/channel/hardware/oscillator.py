# SPDX-License-Identifier: GPL-3.0-or-later
"""Oscillators: phase noise and carrier frequency offset."""

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from .. import counter_noise
from ..counter_noise import Effect
from .checks import boolean, integer, real
from .stream import StreamModel, rotate

# Corner frequencies of the flicker noise lie this factor apart; the ripple of the 1/f law that a sum of
# such Lorentzians leaves is 2 sech(pi^2 / ln 4) = 0.3 %.
_CORNER_RATIO = 4

# Processes of the lowest corners change slowly: number i is drawn anew every 4^(i - 2) samples and held, which is
# an eightieth of its correlation time in cycles. What that takes out at multiples of the drawing rate is 1.7 %.
_FULL_RATE = 3

# The part of the flicker substream whose number i is the start of process i.
_START_PART = 255


@dataclass
class PhaseNoise(StreamModel):
    """Oscillator phase noise with the two-sided spectrum S(f) = k0 + k2 / f^2 + k3 / |f|^3 in rad^2/Hz.

    y[k] = x[k] exp(j phi[k]). The floor k0 is white over the sampled band, of variance k0 * sample_rate
    (at sub-THz bandwidths it outweighs the rest). The k2 term is a Wiener process whose increments have
    the variance 4 pi^2 k2 / sample_rate; its carrier is Lorentzian with a full 3 dB width of 2 pi k2 Hz
    (Demir, Mehrotra, Roychowdhury, IEEE TCAS-I 2000). The k3 term integrates 1/f frequency noise, a sum
    of first-order processes; it keeps to its law within 7 % from ``flicker_low`` to sample_rate / 5. Well
    below it goes over to 1 / f^2, and near sample_rate / 2 it is too strong, by up to a factor of 2.6.

    The noise is that of :mod:`~gnuradio.thzum.channel.counter_noise`: a function of the seed, the oscillator's
    number and the sample's, the same in the C++ blocks.

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

    # What the noise is drawn for: floor, Wiener and flicker part.
    _effects = (Effect.PHASE_FLOOR, Effect.PHASE_WALK, Effect.PHASE_FLICKER)

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
        self.seed = integer("seed", self.seed, 0, counter_noise.MAX_SEED)
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
        return high * float(_CORNER_RATIO) ** -np.arange(count)

    def _start(self, rows):
        self._oscillators = 1 if self.shared else rows
        self._index = 0
        self._walk = np.zeros(self._oscillators)
        corner = self._corners()
        self._hold = [_CORNER_RATIO ** max(0, i + 1 - _FULL_RATE) for i in range(len(corner))]
        self._pole = np.exp(-2 * np.pi * corner * self._hold / self.sample_rate)
        # Equal variances at logarithmic spacing: sum_i 2 k3 ln(r) fc_i / (pi (fc_i^2 + f^2)) = k3 / f.
        self._deviation = np.sqrt(2 * self.k3 * np.log(_CORNER_RATIO))
        self._flicker = self._deviation * self._draw(2, 0, len(corner), _START_PART)

    def _draw(self, effect, first, count, part=0):
        """Numbers of all oscillators, float64 [oscillators, count]; ``effect`` is a place in _effects."""
        streams = [counter_noise.substream(self._effects[effect], o, part) for o in range(self._oscillators)]
        return np.array([counter_noise.normal(self.seed, stream, first, count) for stream in streams])

    def _flicker_frequency(self, process, n):
        """Frequency deviation in Hz that a flicker process adds to the present samples [oscillators, n]."""
        hold, pole = self._hold[process], self._pole[process]
        # Draw u is in force at the samples u hold to (u + 1) hold - 1; the present one may have begun before.
        first, last = -(-self._index // hold), (self._index + n - 1) // hold
        before = self._flicker[:, process : process + 1]
        values = before
        if last >= first:
            drive = self._deviation * np.sqrt(1 - pole**2) * self._draw(2, first, last + 1 - first, process)
            drawn, _ = lfilter([1.0], [1.0, -pole], drive, axis=1, zi=pole * before)
            values = np.concatenate([before, drawn], axis=1)
            self._flicker[:, process] = drawn[:, -1]
        return values[:, np.arange(self._index, self._index + n) // hold - first + 1]

    def _process(self, x):
        n = x.shape[1]
        step = np.sqrt(self.increment_variance) * self._draw(1, self._index, n)
        for process in range(len(self._pole)):
            step += 2 * np.pi / self.sample_rate * self._flicker_frequency(process, n)
        step[:, 0] += self._walk
        walk = np.cumsum(step, axis=1)
        self._walk = walk[:, -1].copy()
        phase = walk + np.sqrt(self.floor_variance) * self._draw(0, self._index, n)
        self._index += n
        return rotate(x, phase)


class UserPhaseNoise(PhaseNoise):
    """Phase noise of the users' oscillators, one per user; as :class:`PhaseNoise`, with noise of its own."""

    _effects = (
        Effect.TRANSMIT_PHASE_FLOOR,
        Effect.TRANSMIT_PHASE_WALK,
        Effect.TRANSMIT_PHASE_FLICKER,
    )


@dataclass
class FrequencyOffset(StreamModel):
    """Carrier frequency offset: y[k] = x[k] exp(j (2 pi offset k / sample_rate + phase)).

    The ramp is evaluated from the sample's index, not accumulated: after k samples its error is below
    k * |offset / sample_rate| * 1.2e-16 cycles.

    Attributes:
        sample_rate: in Hz.
        offset: in Hz; one number, or one for each RF chain or user.
        phase: of the first sample in rad.
    """

    sample_rate: float
    offset: float | tuple
    phase: float = 0.0

    def __post_init__(self):
        self.sample_rate = real("sample_rate", self.sample_rate, above=0)
        if np.ndim(self.offset):
            self.offset = tuple(real("offset", value) for value in np.ravel(self.offset).tolist())
        else:
            self.offset = real("offset", self.offset)
        self.phase = real("phase", self.phase)
        self.reset()

    def _start(self, rows):
        if np.ndim(self.offset) and len(self.offset) != rows:
            raise ValueError(
                f"offset: expected one number or one for each of {rows} rows of samples, got {len(self.offset)}"
            )
        self._index = 0

    def _process(self, x):
        index = np.arange(self._index, self._index + x.shape[1])
        self._index += x.shape[1]
        rate = np.array(self.offset)[..., None] / self.sample_rate
        cycles = np.remainder(index * rate, 1.0)
        return rotate(x, 2 * np.pi * cycles + self.phase)
