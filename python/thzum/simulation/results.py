# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of a sweep: arrays, points with confidence intervals, tables."""

import csv
import json
from dataclasses import asdict, dataclass

import numpy as np

from .cells import units
from .store import Recording, read_times
from .tasks import task


@dataclass(frozen=True)
class Point:
    """One algorithm in one scenario at one SNR.

    Attributes:
        scenario, algorithm: name and label.
        snr_db: SNR in dB.
        channels: channels so far.
        value: mean of the task's figure of merit, in dB where the task says so.
        low, high: its confidence interval, see the task's ``interval``.
        ms_per_channel: processor time per channel in ms; NaN if the times are not there.
        figures: further figures of the task, {name: number}.
    """

    scenario: str
    algorithm: str
    snr_db: float
    channels: int
    value: float
    low: float
    high: float
    ms_per_channel: float
    figures: dict


class SweepResults:
    """What a results file holds, complete or not.

    Attributes:
        experiment: the :class:`Experiment`.
        facts: what the file says about scenarios and software.
        done, total: units.
    """

    def __init__(self, recording, times):
        self.experiment, self.facts = recording.experiment, recording.header["facts"]
        self._task = task(self.experiment.task)
        self._results, self._times = recording.results, times
        self.done, self.total = len(recording.results), len(units(self.experiment))

    @classmethod
    def load(cls, path):
        """The results in a file, also while a sweep is writing it.

        Raises:
            ValueError: it is damaged or no results file.
            OSError: it cannot be read.
        """
        recording = Recording(path)
        if recording.experiment is None:
            raise ValueError(f"{path}: expected results, got none yet")
        return cls(recording, read_times(path))

    def array(self, column):
        """A column of the task, float64 [scenario, algorithm, SNR, channel]; NaN where nothing is there yet."""
        known = {entry.name: entry.missing for entry in self._task.columns}
        if column not in known:
            raise ValueError(f"column: expected one of {list(known)}, got {column!r}")
        experiment = self.experiment
        shape = len(experiment.scenarios), len(experiment.algorithms), len(experiment.snr_db), experiment.channels
        values = np.full(shape, np.nan)
        for unit, results in self._results.items():
            start = unit.block * experiment.block
            for index, choice in enumerate(experiment.algorithms):
                found = results[choice.label][column]
                found = [known[column] if value is None else value for value in found]
                values[unit.scenario, index, unit.snr, start : start + len(found)] = found
        return values

    def points(self, level=0.95):
        """The :class:`Point` objects in the order scenario, algorithm, SNR; points without channels are left out.

        Args:
            level: of the confidence intervals.
        """
        columns = {column.name: self.array(column.name) for column in self._task.columns}
        there = self._there()
        found = []
        for s, scenario in enumerate(self.experiment.scenarios):
            for a, choice in enumerate(self.experiment.algorithms):
                for k, snr_db in enumerate(self.experiment.snr_db):
                    mine = {name: values[s, a, k, there[s, k]] for name, values in columns.items()}
                    if there[s, k].any():
                        names = scenario.name, choice.label, snr_db
                        found.append(self._point(names, mine, level, self._milliseconds(s, k, choice.label)))
        return found

    def seconds(self):
        """Processor and wall-clock time by part over all units, {part: (processor s, wall-clock s)}."""
        total = {}
        for unit in self._results.keys() & self._times.keys():
            for part, seconds in self._times[unit]["seconds"].items():
                total[part] = total.get(part, np.zeros(2)) + seconds
        return {part: tuple(map(float, seconds)) for part, seconds in sorted(total.items())}

    def table(self, level=0.95):
        """The points as text, a line each under a title per scenario."""
        lines, scenario = [], None
        width = max(len(choice.label) for choice in self.experiment.algorithms)
        unit = " (dB)" if self._task.in_db else ""
        for point in self.points(level):
            if point.scenario != scenario:
                scenario = point.scenario
                names = "".join(f"{name:>21}" for name in point.figures)
                lines += [f"\n{scenario}", f"{'':{width}}  SNR (dB)  {self._task.columns[0].name + unit:>24}"]
                lines[-1] += f"{names}  ms/channel  channels"
            digits = ".1e" if self._task.is_logarithmic else ".3f"
            spread = f"{point.value:8{digits}} [{point.low:{digits}}, {point.high:{digits}}]"
            figures = "".join(f"{value:21.3f}" for value in point.figures.values())
            lines.append(f"{point.algorithm:{width}}  {point.snr_db:8g}  {spread:>24}{figures}")
            lines[-1] += f"  {point.ms_per_channel:10.3f}  {point.channels:8d}"
        return "\n".join(lines).lstrip("\n")

    def to_csv(self, path, level=0.95):
        """Write the points as CSV."""
        rows = [_flat(point) for point in self.points(level)]
        if not rows:
            raise ValueError("points: expected at least one finished unit, got none")
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)

    def to_json(self, path, level=0.95):
        """Write the experiment, the facts and the points as JSON; null stands for NaN and infinity."""
        points = [{k: _finite(v) for k, v in _flat(point).items()} for point in self.points(level)]
        document = dict(experiment=self.experiment.to_dict(), facts=self.facts, level=level, points=points)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1, allow_nan=False)
            file.write("\n")

    def _there(self):
        """Which channels are there, bool [scenario, SNR, channel]."""
        experiment = self.experiment
        there = np.zeros((len(experiment.scenarios), len(experiment.snr_db), experiment.channels), bool)
        for unit in self._results:
            start = unit.block * experiment.block
            there[unit.scenario, unit.snr, start : start + experiment.block] = True
        return there

    def _point(self, names, columns, level, milliseconds):
        merit = columns[self._task.columns[0].name]
        shown = self._task.interval(merit, level)
        if self._task.in_db:
            with np.errstate(divide="ignore"):
                shown = [float(10 * np.log10(value)) for value in shown]
        return Point(*names, len(merit), *shown, milliseconds, self._task.summary(columns))

    def _milliseconds(self, scenario, snr, label):
        blocks = self.experiment.blocks()
        seconds, channels = 0.0, 0
        for unit in self._results.keys() & self._times.keys():
            if (unit.scenario, unit.snr) == (scenario, snr) and label in self._times[unit]["seconds"]:
                seconds += self._times[unit]["seconds"][label][0]
                channels += blocks[unit.block]
        return 1e3 * seconds / channels if channels else float("nan")


def _flat(point):
    plain = asdict(point)
    return plain | plain.pop("figures")


def _finite(value):
    return None if isinstance(value, float) and not np.isfinite(value) else value
