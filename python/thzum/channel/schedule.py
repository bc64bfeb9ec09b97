# SPDX-License-Identifier: GPL-3.0-or-later
"""Which combiner the array uses when: a frame of table entries that repeats."""

from dataclasses import dataclass

import numpy as np

from .hardware.checks import integer


@dataclass(frozen=True)
class CombinerSchedule:
    """A repeating frame: ``entries[i]`` of the combiner table is in force for ``lengths[i]`` samples.

    The frame also repeats backwards in time, so every sample has an entry.

    Attributes:
        entries: rows of the combiner table, integers >= 0.
        lengths: samples of each, integers >= 1.
        start: sample at which a frame begins.

    >>> CombinerSchedule(entries=(0, 1), lengths=(2, 3)).entry_at(np.arange(-1, 6)).tolist()
    [1, 0, 0, 1, 1, 1, 0]
    """

    entries: tuple = (0,)
    lengths: tuple = (1,)
    start: int = 0

    def __post_init__(self):
        for name, low in (("entries", 0), ("lengths", 1)):
            values = getattr(self, name)
            if np.ndim(values) != 1 or len(values) == 0:
                raise ValueError(f"{name}: expected a list of integers of at least one, got {values!r}")
            object.__setattr__(self, name, tuple(integer(name, value, low) for value in values))
        if len(self.entries) != len(self.lengths):
            raise ValueError(
                f"lengths: expected one per entry, {len(self.entries)}, got {len(self.lengths)}"
            )
        object.__setattr__(self, "start", integer("start", self.start, -(2**62), 2**62))

    @property
    def frame_length(self):
        """Samples of a frame."""
        return sum(self.lengths)

    def entry_at(self, sample):
        """The entry in force at ``sample``, an integer or an array of them."""
        phase = np.mod(np.asarray(sample) - self.start, self.frame_length)
        return np.asarray(self.entries)[np.searchsorted(np.cumsum(self.lengths), phase, side="right")]

    @classmethod
    def fixed(cls, entry, start=0):
        """One entry for good."""
        return cls((entry,), (1,), start)

    @classmethod
    def of_plan(cls, plan, start=0):
        """The schedule of a frame of a :class:`~gnuradio.thzum.frame.PilotPlan`.

        Entry q < Q is the combiner of pilot slot q, entry Q the data beams; the silent samples in front have
        entry 0. :func:`plan_combiners` makes the table. A plan with several samples per symbol has the
        schedule of its frame on the air, in which preamble and reference slots take entries of pilot slots.
        """
        if plan.air is not None:
            return cls(*plan.air.schedule(), start)
        entries = [0, *range(plan.n_slots)]
        lengths = [plan.n_noise] + [plan.n_users] * plan.n_slots
        if plan.n_data:
            entries, lengths = entries + [plan.n_slots], lengths + [plan.n_data]
        return cls(tuple(entries), tuple(lengths), start)


def checked_beams(plan, beams):
    """``beams`` as an array [S] of indices into the plan's code book; ValueError unless they are."""
    found = np.asarray(beams)
    valid = found.shape == (plan.n_subarrays,) and np.isin(found, range(plan.n_beams)).all()
    if not valid:
        raise ValueError(
            f"beams: expected {plan.n_subarrays} indices from 0 to {plan.n_beams - 1}, got {found.tolist()}"
        )
    return found.astype(int)


def plan_combiners(plan, beams):
    """Combiner table complex128 [Q + 1, S, n] of a plan: the pilot slots, then the data beams.

    Args:
        plan: a :class:`~gnuradio.thzum.frame.PilotPlan`.
        beams: indices [S] into the plan's code book for the data part.
    """
    beams = checked_beams(plan, beams)
    return np.concatenate([np.swapaxes(plan.combiner, 0, 1), plan.codebook[beams][None]]).astype(complex)
