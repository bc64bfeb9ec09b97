# SPDX-License-Identifier: GPL-3.0-or-later
"""The pilot plan: everything that transmitters and receiver of a frame agree on beforehand."""

from functools import cached_property

import numpy as np

from ..array import SubarrayArray, array_preset
from .codebook import dft_codebook
from .constellation import bits_per_symbol

#: What the argument ``air`` of a plan may hold.
AIR_OPTIONS = (
    "rolloff", "span", "guard", "preamble_segments", "segment_parts", "part_length", "reference_interval",
    "reference_beams", "data_reference_interval",
)


def _integer(name, value, low):
    if isinstance(value, bool) or not np.isscalar(value) or int(value) != value or value < low:
        raise ValueError(f"{name}: expected an integer of at least {low}, got {value!r}")
    return int(value)


class PilotPlan:
    """Layout of a frame, its pilots and its data beams.

    As a receiver sees it, with one sample per symbol and RF chain, a frame is ``n_noise`` silent samples, then ``n_slots`` pilot slots of ``n_users`` chips (slot q uses
    combiner row c[s,q], user k sends its own orthogonal sequence), then ``n_data`` data symbols behind
    one fixed codebook beam per subarray. A plan is not changed after it is made.

    Args:
        array: a :class:`~gnuradio.thzum.array.SubarrayArray` or the name of an array preset.
        n_slots: pilot slots Q per subarray.
        n_users: user streams K, which is also the chips P per slot.
        seed: of the Hadamard combiner.
        combiner: "hadamard" (semi-orthogonal, unit-norm rows; needs rows*cols a power of two and
            n_slots <= rows*cols) or a complex array [S, Q, rows*cols].
        n_noise: silent samples from which the receiver measures the noise.
        n_data: data symbols per user.
        modulations: constellations of the data part, which is split evenly among them.
        oversampling: of the data-beam codebook, see :func:`~gnuradio.thzum.frame.dft_codebook`.
        samples_per_symbol: of a frame on the air. 1 is the frame above as it stands, whose start has to be
            known; from 2 on frames are pulse shaped and have a preamble, guards and reference slots, see
            :attr:`air`.
        air: further arguments of :class:`gnuradio.thzum.air_frame`, a dictionary; with samples_per_symbol
            of 2 and more.

    Raises:
        ValueError: naming the argument, what was expected and what came.

    >>> plan = PilotPlan("thz300_aosa4x256", n_slots=128)
    >>> plan.frame_length, plan.n_observations, plan.n_antennas
    (768, 512, 1024)
    """

    def __init__(
        self,
        array,
        n_slots,
        n_users=4,
        seed=1,
        combiner="hadamard",
        n_noise=64,
        n_data=192,
        modulations=("qpsk", "16qam"),
        oversampling=2,
        samples_per_symbol=1,
        air=None,
    ):
        self.array = array_preset(array) if isinstance(array, str) else array
        if not isinstance(self.array, SubarrayArray):
            kind = type(array).__name__
            raise ValueError(f"array: expected a SubarrayArray or a preset's name, got {kind}")
        self.n_slots = _integer("n_slots", n_slots, 1)
        self.n_users = _integer("n_users", n_users, 1)
        self.seed = _integer("seed", seed, 0)
        self.n_noise = _integer("n_noise", n_noise, 2)
        self.n_data = _integer("n_data", n_data, 0)
        self.oversampling = _integer("oversampling", oversampling, 1)
        self.modulations = (modulations,) if isinstance(modulations, str) else tuple(modulations)
        for name in self.modulations:
            bits_per_symbol(name)
        if not self.modulations or self.n_data % len(self.modulations):
            raise ValueError(
                f"n_data: expected a multiple of the number of modulations ({len(self.modulations)}), "
                f"got {n_data!r}"
            )
        self.samples_per_symbol = _integer("samples_per_symbol", samples_per_symbol, 1)
        self.air_options = self._checked_air(air)
        self._given_combiner = self._checked_combiner(combiner)
        if self.samples_per_symbol > 1:
            self.air  # refuses wrong options now

    def _checked_air(self, options):
        options = {} if options is None else options
        if not isinstance(options, dict):
            raise ValueError(f"air: expected a dictionary, got {type(options).__name__}")
        unknown = sorted(set(options) - set(AIR_OPTIONS))
        if unknown:
            raise ValueError(f"air: expected options among {', '.join(AIR_OPTIONS)}, got {', '.join(unknown)}")
        if options and self.samples_per_symbol == 1:
            raise ValueError("air: expected none with samples_per_symbol = 1, got " + ", ".join(options))
        return dict(options)

    def _checked_combiner(self, combiner):
        n = self.n_elements
        if isinstance(combiner, str):
            if combiner != "hadamard":
                raise ValueError(f'combiner: expected "hadamard" or an array [S, Q, n], got {combiner!r}')
            if n & (n - 1) or self.n_slots > n:
                raise ValueError(
                    "combiner: a Hadamard combiner needs rows*cols a power of two and n_slots <= rows*cols, "
                    f"got rows*cols = {n} and n_slots = {self.n_slots}; pass an array [S, Q, n] instead"
                )
            return None
        rows = np.array(combiner, np.complex64)
        wanted = (self.n_subarrays, self.n_slots, n)
        if rows.shape != wanted:
            raise ValueError(f"combiner: expected shape {wanted} as [S, Q, rows*cols], got {rows.shape}")
        if not np.isfinite(rows).all() or not rows.any(axis=2).all():
            raise ValueError("combiner: expected finite rows, none of them all zero")
        rows.setflags(write=False)
        return rows

    def __repr__(self):
        kind = f"hadamard, seed={self.seed}" if self.has_hadamard_combiner else "array"
        return (
            f"PilotPlan({self.n_subarrays} subarrays of {self.array.rows}x{self.array.cols}, "
            f"n_slots={self.n_slots}, n_users={self.n_users}, combiner={kind}, n_noise={self.n_noise}, "
            f"n_data={self.n_data} as {'+'.join(self.modulations)}, {self.n_beams} beams, "
            f"frame_length={self.frame_length}"
            + (f", samples_per_symbol={self.samples_per_symbol}" if self.samples_per_symbol > 1 else "")
            + ")"
        )

    @cached_property
    def air(self):
        """The frame on the air, a :class:`gnuradio.thzum.air_frame`; None with one sample per symbol."""
        if self.samples_per_symbol == 1:
            return None
        from .. import thzum_python

        return thzum_python.air_frame(
            n_noise=self.n_noise, n_slots=self.n_slots, sequences=self.user_sequences, n_data=self.n_data,
            samples_per_symbol=self.samples_per_symbol, **self.air_options,
        )

    @property
    def air_length(self):
        """Samples of a frame on the air, on each RF chain."""
        return self.frame_length if self.air is None else self.air.n_samples

    @property
    def has_hadamard_combiner(self):
        """Whether the combiner is the seeded Hadamard one, and not an array that was given."""
        return self._given_combiner is None

    @property
    def array_options(self):
        """What estimators may want to know of the array: element spacing and subarray centres, in wavelengths."""
        return self.array.estimator_options()

    @property
    def n_subarrays(self):
        """Subarrays S, which is the number of RF chains."""
        return self.array.n_subarrays

    @property
    def n_elements(self):
        """Elements n of one subarray."""
        return self.array.rows * self.array.cols

    @property
    def n_antennas(self):
        """Antennas N = S * n."""
        return self.array.n_antennas

    @property
    def n_observations(self):
        """Pilot observations M = S * Q of one channel."""
        return self.n_subarrays * self.n_slots

    @property
    def pilot_offset(self):
        """Sample of the frame at which the pilots begin."""
        return self.n_noise

    @property
    def data_offset(self):
        """Sample of the frame at which the data begin."""
        return self.n_noise + self.n_slots * self.n_users

    @property
    def frame_length(self):
        """Samples of a frame on each RF chain."""
        return self.data_offset + self.n_data

    @property
    def data_sections(self):
        """Data part as (constellation, first symbol counted from the data's start, number of symbols)."""
        length = self.n_data // len(self.modulations)
        return [(name, k * length, length) for k, name in enumerate(self.modulations)]

    @cached_property
    def user_sequences(self):
        """Pilot sequences of the users, complex64 [K, P], orthogonal, unit modulus: rows of a P-point DFT."""
        sequences = np.fft.fft(np.eye(self.n_users)).astype(np.complex64)
        sequences.setflags(write=False)
        return sequences

    @cached_property
    def operator(self):
        """The :class:`gnuradio.thzum.pilot_operator` of the pilots, with fresh noise in every slot."""
        from .. import thzum_python

        shape = dict(rows=self.array.rows, cols=self.array.cols)
        if self._given_combiner is None:
            return thzum_python.pilot_operator.hadamard(
                n_subarrays=self.n_subarrays, n_slots=self.n_slots, seed=self.seed, **shape
            )
        return thzum_python.pilot_operator(self._given_combiner, noise_model="per_slot", **shape)

    @cached_property
    def combiner(self):
        """Combiner rows c[s,q], complex64 [S, Q, rows*cols], applied without conjugation."""
        if self._given_combiner is not None:
            return self._given_combiner
        return np.asarray(self.operator.combiner).reshape(self.n_subarrays, self.n_slots, self.n_elements)

    @cached_property
    def codebook(self):
        """Data beams, complex64 [n_beams, rows*cols] of unit norm, applied without conjugation."""
        beams = dft_codebook(self.array.rows, self.array.cols, self.array.spacing, self.oversampling)
        beams.setflags(write=False)
        return beams

    @property
    def n_beams(self):
        """Beams of the codebook."""
        return len(self.codebook)
