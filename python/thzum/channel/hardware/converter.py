# SPDX-License-Identifier: GPL-3.0-or-later
"""Converters: sampling clock offset, and ADC with automatic gain control."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.signal import lfilter
from scipy.special import i0, ndtr

from .checks import integer, real
from .stream import StreamModel, compose, power

MAX_BITS = 12

# A Kaiser-windowed sinc of 48 taps with beta = 8.5: 84 dB from zero to 0.8 of the Nyquist frequency.
_HALF_TAPS = 24
_KAISER_BETA = 8.5


@dataclass
class SamplingOffset(StreamModel):
    """A receiver clock that runs ``ppm`` fast: y[m] = x(m / (1 + ppm 1e-6)) in units of input samples.

    Band-limited interpolation by a Kaiser-windowed sinc evaluated at the exact fraction. For a signal
    within +-0.8 of the Nyquist frequency the error is below 1e-4 of its amplitude.

    An output needs 24 input samples beyond its instant, so a call returns up to what its input allows
    (n samples give about n, 24 fewer at the start) and ``flush()`` returns the rest. Samples before the
    first and after the last are taken as zero.

    Attributes:
        ppm: clock offset in parts per million.
    """

    ppm: float

    def __post_init__(self):
        self.ppm = real("ppm", self.ppm, low=-1e5, high=1e5)
        self.reset()

    def flush(self):
        """The samples still due at the end of a stream, complex [..., n]; the stream is then reset.

        Raises:
            ValueError: no stream has begun.
        """
        if self._rows is None:
            raise ValueError("flush: expected a stream that has begun, got none; pass samples first")
        tail = self._process(np.zeros((len(self._buffer), _HALF_TAPS), complex))
        tail = tail.reshape(*self._rows, tail.shape[1]).astype(self._dtype)
        self.reset()
        return tail

    def _start(self, rows):
        self._buffer = np.zeros((rows, _HALF_TAPS - 1), np.complex128)
        self._first = -(_HALF_TAPS - 1)
        self._next = 0

    def _instants(self, end):
        """Instants of the outputs due when the inputs before index ``end`` are known."""
        rate = 1 + 1e-6 * self.ppm
        last = max(int(np.ceil((end - _HALF_TAPS) * rate)) + 1, self._next)
        instant = np.arange(self._next, last) / rate
        return instant[np.floor(instant) + _HALF_TAPS < end]

    def _process(self, x):
        self._buffer = np.concatenate([self._buffer, x], axis=1)
        instant = self._instants(self._first + self._buffer.shape[1])
        base = np.floor(instant).astype(np.int64)
        real_part, imag_part = np.zeros((2, len(x), len(instant)))
        for tap in range(1 - _HALF_TAPS, _HALF_TAPS + 1):
            weight = _interpolation_kernel(instant - base - tap)
            taken = self._buffer[:, base + tap - self._first]
            real_part += weight * taken.real
            imag_part += weight * taken.imag
        self._next += len(instant)
        self._drop_used()
        return compose(real_part, imag_part)

    def _drop_used(self):
        base = int(np.floor(self._next / (1 + 1e-6 * self.ppm)))
        unused = base + 1 - _HALF_TAPS - self._first
        if unused > 0:
            self._buffer = self._buffer[:, unused:].copy()
            self._first += unused


def _interpolation_kernel(t):
    inside = np.maximum(1 - (t / _HALF_TAPS) ** 2, 0.0)
    return np.sinc(t) * (i0(_KAISER_BETA * np.sqrt(inside)) / i0(_KAISER_BETA))


def quantiser_moments(bits, step):
    """(E[x q(x)], E[q(x)^2]) of a mid-rise uniform quantiser q with 2^bits levels for x ~ N(0, 1)."""
    half = 2 ** (bits - 1)
    threshold = step * np.arange(1, half)
    # E[x q(x)] = E[q'(x)] by Stein's lemma: every threshold is a jump by one step.
    cross = step * (1 + 2 * np.exp(-0.5 * threshold**2).sum()) / np.sqrt(2 * np.pi)
    upper_tail = ndtr(-step * np.arange(half))
    probability = 2 * (upper_tail - np.append(upper_tail[1:], 0.0))
    level = step * (np.arange(half) + 0.5)
    return cross, float(np.sum(level**2 * probability))


@lru_cache(maxsize=None)
def optimal_step(bits):
    """Step that minimises the mean squared error of a uniform quantiser for N(0, 1) (Max, IRE IT 1960)."""
    bits = integer("bits", bits, 1, MAX_BITS)

    def error(step):
        cross, square = quantiser_moments(bits, step)
        return 1 - 2 * cross + square

    # The optimal loading step * 2^(bits - 1) grows from 1.6 to 5.0 over the range of bits.
    half = 2 ** (bits - 1)
    options = {"xatol": 1e-9 / half}
    found = minimize_scalar(error, bounds=(1 / half, 8 / half), method="bounded", options=options)
    return float(found.x)


def optimal_loading(bits):
    """Full scale over standard deviation, step * 2^(bits - 1), of the optimal uniform quantiser."""
    return optimal_step(bits) * 2 ** (bits - 1)


@dataclass
class Adc(StreamModel):
    """Mid-rise uniform ADC for I and for Q behind an automatic gain control, one per RF chain.

    The gain control sets the full scale to ``loading`` standard deviations of I and of Q, from the mean
    power of the samples before the present one (exponential average, starting at ``power``). The output
    is referred to the input, that is, the known gain is taken out again.

    Attributes:
        bits: 1 to 12 for each of I and Q.
        loading: full scale over the standard deviation; None is the optimum for Gaussian samples.
        power: mean |x|^2 at the start, or throughout with a fixed gain.
        agc_samples: time constant of the gain control in samples; None is a fixed gain.
    """

    bits: int
    loading: float | None = None
    power: float = 1.0
    agc_samples: float | None = None

    def __post_init__(self):
        self.bits = integer("bits", self.bits, 1, MAX_BITS)
        if self.loading is not None:
            self.loading = real("loading", self.loading, above=0)
        self.power = real("power", self.power, above=0)
        if self.agc_samples is not None:
            self.agc_samples = real("agc_samples", self.agc_samples, low=1)
        self.reset()

    @property
    def relative_step(self):
        """Step over the standard deviation of I and of Q."""
        return optimal_step(self.bits) if self.loading is None else self.loading / 2 ** (self.bits - 1)

    @property
    def sqnr_db(self):
        """E|x|^2 / E|y - x|^2 in dB for Gaussian samples at the power that the gain control assumes."""
        cross, square = quantiser_moments(self.bits, self.relative_step)
        return -10 * np.log10(1 - 2 * cross + square)

    @property
    def bussgang_gain(self):
        """E[y conj(x)] / E|x|^2 for Gaussian samples, the linear gain of the quantiser."""
        return quantiser_moments(self.bits, self.relative_step)[0]

    def _start(self, rows):
        self._estimate = np.full((rows, 1), self.power)

    def _mean_power(self, x):
        if self.agc_samples is None:
            return self._estimate
        forget = 1 / self.agc_samples
        average, _ = lfilter(
            [forget], [1.0, forget - 1.0], power(x), axis=1, zi=(1 - forget) * self._estimate
        )
        before = np.concatenate([self._estimate, average[:, :-1]], axis=1)
        self._estimate = average[:, -1:].copy()
        return before

    def _process(self, x):
        # A silent input drives the estimate to zero; the smallest step is then still a number.
        mean_power = np.maximum(self._mean_power(x), np.finfo(float).tiny)
        step = self.relative_step * np.sqrt(mean_power / 2)
        half = 2 ** (self.bits - 1)
        i, q = (step * (np.clip(np.floor(part / step), -half, half - 1) + 0.5) for part in (x.real, x.imag))
        return compose(i, q)
