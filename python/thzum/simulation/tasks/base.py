# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sweep asks of a task."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from ..intervals import mean_interval
from ..scenario import Scenario


@dataclass(frozen=True)
class Column:
    """One number per channel that a task records.

    Attributes:
        name: key in the results file.
        missing: what a null in the file stands for (JSON has neither NaN nor infinity).
    """

    name: str
    missing: float = float("nan")


class Task(ABC):
    """A kind of experiment.

    Attributes:
        columns: the :class:`Column` objects; the first is the figure of merit, whose mean is what a point shows.
        in_db: whether that mean is shown as 10 log10.
        axis: label of the figure's axis.
        is_logarithmic: whether that axis is logarithmic.
        interval: function of the values and a level that gives their mean and its confidence interval.
        scenario: class of the scenarios, with ``from_dict``, ``to_dict`` and ``name``.
    """

    columns: tuple
    in_db: bool
    axis: str
    is_logarithmic: bool = False
    interval: staticmethod = staticmethod(mean_interval)
    scenario: type = Scenario

    @abstractmethod
    def check(self, experiment):
        """Raise ValueError for what cannot run, before anything is computed; returns {scenario: facts}."""

    @abstractmethod
    def files(self, experiment):
        """Paths of the files that the results depend on, {what it is: path}."""

    @abstractmethod
    def bench(self, experiment, scenario, seeds):
        """What runs units of one scenario.

        Args:
            experiment: the :class:`~gnuradio.thzum.simulation.Experiment`.
            scenario: index in ``experiment.scenarios``.
            seeds: ``seeds(purpose, block=0)`` gives a ``numpy.random.SeedSequence``.

        Returns:
            an object with ``run(block, size, snr_db, clock)``: the columns of every algorithm over the
            channels of a block, {label: {column: array [size]}}. It times its parts by
            ``with clock(part):``. The result must depend on nothing but the arguments.
        """

    @abstractmethod
    def summary(self, columns):
        """Further figures of a point from its columns {name: float64 [channels]}: {name: number}."""
