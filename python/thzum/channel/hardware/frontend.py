# SPDX-License-Identifier: GPL-3.0-or-later
"""Analogue front end: amplifier, quadrature mixer, phase shifters."""

from dataclasses import dataclass

import numpy as np

from .checks import complex_array, integer, real
from .stream import SampleModel, compose, power


@dataclass
class RappAmplifier(SampleModel):
    """Solid-state amplifier of unit small-signal gain, AM/AM only (Rapp, ECSC 1991).

    |y| = |x| / (1 + (|x| / A)^(2p))^(1 / (2p)) with the smoothness p and the saturation amplitude A.

    Attributes:
        smoothness: p; 2 to 3 is common, a large p approaches the ideal clipper.
        saturation: amplitude A; give either this or ``input_backoff_db``.
        input_backoff_db: A^2 over ``input_power`` in dB.
        input_power: mean |x|^2 that the back-off refers to.
    """

    smoothness: float = 2.0
    saturation: float | None = None
    input_backoff_db: float | None = None
    input_power: float = 1.0

    def __post_init__(self):
        self.smoothness = real("smoothness", self.smoothness, above=0)
        self.input_power = real("input_power", self.input_power, above=0)
        if (self.saturation is None) == (self.input_backoff_db is None):
            raise ValueError(
                "saturation, input_backoff_db: expected exactly one of them, "
                f"got {self.saturation!r} and {self.input_backoff_db!r}"
            )
        if self.saturation is not None:
            self.saturation = real("saturation", self.saturation, above=0)
        else:
            self.input_backoff_db = real("input_backoff_db", self.input_backoff_db)

    @property
    def saturation_amplitude(self):
        """The saturation amplitude A in force."""
        if self.saturation is not None:
            return self.saturation
        return np.sqrt(self.input_power) * 10 ** (self.input_backoff_db / 20)

    def gain(self, amplitude):
        """|y| / |x| at an input amplitude."""
        drive = np.asarray(amplitude, float) / self.saturation_amplitude
        # Both terms are divided by the larger one, lest the power overflow.
        larger, order = np.maximum(drive, 1.0), 2 * self.smoothness
        return ((1 / larger) ** order + (drive / larger) ** order) ** (-1 / order) / larger

    def _process(self, x):
        gain = self.gain(np.sqrt(power(x)))
        return compose(x.real * gain, x.imag * gain)


@dataclass
class IqImbalance(SampleModel):
    """Receiver I/Q imbalance y = mu x + nu conj(x), the Q branch off by a gain g and a phase phi.

    mu = (1 + g exp(-j phi)) / 2, nu = (1 - g exp(j phi)) / 2 (Tubbax et al., IEEE TWC 2005), alike in
    all RF chains.

    Attributes:
        amplitude_db: g in dB.
        phase_deg: phi in degrees.
    """

    amplitude_db: float = 0.0
    phase_deg: float = 0.0

    def __post_init__(self):
        self.amplitude_db = real("amplitude_db", self.amplitude_db, low=-60, high=60)
        self.phase_deg = real("phase_deg", self.phase_deg, low=-90, high=90)

    @property
    def coefficients(self):
        """(mu, nu), complex."""
        branch = 10 ** (self.amplitude_db / 20) * np.exp(1j * np.radians(self.phase_deg))
        return (1 + np.conj(branch)) / 2, (1 - branch) / 2

    @property
    def image_rejection_db(self):
        """|mu|^2 / |nu|^2 in dB; infinite without imbalance."""
        mu, nu = self.coefficients
        return float("inf") if nu == 0 else 20 * np.log10(abs(mu) / abs(nu))

    def _process(self, x):
        mu, nu = self.coefficients
        return compose(x.real, (mu + nu).imag * x.real + (mu - nu).real * x.imag)


@dataclass
class PhaseShifter:
    """Phase shifters behind the antennas: b-bit phases, fixed gain and phase errors of each element.

    The errors belong to the element, not to the slot: they depend on ``seed`` and the array's size only,
    and are the same in every call.

    Attributes:
        bits: of the phase, uniform over the circle; None leaves the phases as they are.
        gain_std_db: standard deviation of the elements' gain errors in dB (Gaussian in dB).
        phase_std_deg: standard deviation of the elements' phase errors in degrees (Gaussian).
        seed: of the errors.
    """

    bits: int | None = None
    gain_std_db: float = 0.0
    phase_std_deg: float = 0.0
    seed: int = 0

    def __post_init__(self):
        if self.bits is not None:
            self.bits = integer("bits", self.bits, 1, 24)
        self.gain_std_db = real("gain_std_db", self.gain_std_db, low=0)
        self.phase_std_deg = real("phase_std_deg", self.phase_std_deg, low=0)
        self.seed = integer("seed", self.seed, 0)

    def element_errors(self, n_subarrays, n_elements):
        """Complex factors of the elements, complex128 [S, n]."""
        rng = np.random.default_rng([self.seed, 2])
        gain, phase = rng.standard_normal((2, n_subarrays, n_elements))
        gain, phase = self.gain_std_db * gain, np.radians(self.phase_std_deg) * phase
        return 10 ** (gain / 20) * np.exp(1j * phase)

    def quantised(self, combiner):
        """``combiner`` with every phase at the nearest of the 2^bits, magnitudes kept, complex128."""
        c = complex_array("combiner", combiner, "[..., n]").astype(np.complex128)
        if self.bits is None:
            return c
        step = 2 * np.pi / 2**self.bits
        return np.abs(c) * np.exp(1j * step * np.round(np.angle(c) / step))

    def __call__(self, combiner):
        """The combiner that acts when ``combiner``, complex [S, Q, n], is asked for; same precision."""
        c = complex_array("combiner", combiner, "[S, Q, n]", ndim=3)
        errors = self.element_errors(c.shape[0], c.shape[2])
        return (self.quantised(c) * errors[:, None, :]).astype(c.dtype)
