# SPDX-License-Identifier: GPL-3.0-or-later
"""The results file: JSON lines, a header and then a line per finished unit.

Lines are appended as units finish, whatever their order. When all are there the file is written anew in the
order of the units, so that its bytes depend on the experiment only. Times go to a file of their own.
"""

import fcntl
import json
import os
import time
from pathlib import Path

from .cells import Unit, units
from .experiment import Experiment, differences
from .tasks import task

FORMAT = "thzum-sweep-1"
# Seconds between forcing lines to the disk: what a power cut may lose. A killed process loses nothing.
_SYNC_INTERVAL = 1.0
_BEGINNING = b'{"format": "thzum-sweep-'


def times_path(path):
    """Where the times of a results file stand: ``results.jsonl`` has ``results.times.jsonl``."""
    path = Path(path)
    return path.with_name(f"{path.stem}.times{path.suffix or '.jsonl'}")


class Recording:
    """What a results file says.

    Attributes:
        header: {"format", "experiment", "facts"}; None where the file is empty or broke off in its first line.
        experiment: the :class:`Experiment`, or None.
        results: {Unit: {label: {column: list}}}.
        good_bytes: length of the file up to the end of its last good line.
        lost_bytes: what follows that, a line that an interruption cut off or left unreadable.
    """

    def __init__(self, path):
        content = Path(path).read_bytes()
        if content and not content.startswith(_BEGINNING[: len(content)]):
            raise ValueError(f"{path}: expected a results file of thzum sweep, got something else; not touched")
        lines = content[: content.rfind(b"\n") + 1].splitlines(keepends=True)
        if len(lines) > 1 and not _is_record(lines[-1]):
            lines.pop()
        self.good_bytes = sum(map(len, lines))
        self.lost_bytes = len(content) - self.good_bytes
        self.header = _parsed(path, 1, lines[0]) if lines else None
        self.experiment, self.results = None, {}
        if self.header is None:
            return
        if self.header.get("format") != FORMAT:
            raise ValueError(f"{path}: expected the format {FORMAT!r}, got {self.header.get('format')!r}")
        try:
            self.experiment = Experiment.from_dict(self.header["experiment"])
        except (KeyError, ValueError) as error:
            raise ValueError(f"{path}: line 1: expected an experiment, got {error}") from None
        expected = set(units(self.experiment))
        for number, line in enumerate(lines[1:], start=2):
            unit, results = self._record(path, number, line)
            if unit not in expected or unit in self.results:
                raise _damaged(path, number, f"each unit of the experiment once, got {list(vars(unit).values())}")
            self.results[unit] = results

    def _record(self, path, number, line):
        record = _parsed(path, number, line)
        try:
            unit, results = Unit(*record["unit"]), record["results"]
            size = self.experiment.blocks()[unit.block]
            for choice in self.experiment.algorithms:
                for column in task(self.experiment.task).columns:
                    if len(results[choice.label][column.name]) != size:
                        raise ValueError(f"{column.name} has another length")
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise _damaged(path, number, f"a finished unit, got {error!r}") from None
        return unit, results


class Store:
    """A results file open for writing, by one sweep at a time; use it in a ``with`` statement.

    Args:
        path: the file; it is made when missing.
        experiment: the :class:`Experiment`.
        facts: what else must be equal for results to belong together, a plain dictionary.

    Raises:
        ValueError: the file holds another experiment or other facts, or is damaged or not a results file.
        BlockingIOError: another sweep is writing it.

    Attributes:
        results: {Unit: …} of the finished units.
        lost_bytes: bytes of an unfinished line that were dropped.
    """

    def __init__(self, path, experiment, facts):
        self._path, self._experiment, self._facts = Path(path), experiment, facts
        self._synced = float("-inf")
        self._file = open(self._path, "a+b")
        try:
            self._lock()
            recording = Recording(self._path)
            self._check(recording)
        except BaseException:
            self._file.close()
            raise
        self.results, self.lost_bytes = recording.results, recording.lost_bytes
        self._file.truncate(recording.good_bytes)
        if recording.header is None:
            times_path(self._path).unlink(missing_ok=True)
            self._append(self._header())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def add(self, unit, results, times):
        """Write a finished unit: ``results`` {label: {column: list}}, ``times`` a plain dictionary."""
        self.results[unit] = results
        self._append(_record_line(unit, results))
        with open(times_path(self._path), "a", encoding="utf-8") as file:
            file.write(json.dumps({"unit": list(vars(unit).values()), **times}) + "\n")

    def finish(self):
        """Put the units in order when all are there; the file is replaced at once or not at all."""
        order = units(self._experiment)
        if list(self.results) == order or len(self.results) < len(order):
            return
        part = self._path.with_name(self._path.name + ".part")
        with open(part, "wb") as file:
            file.write(self._header())
            file.writelines(_record_line(unit, self.results[unit]) for unit in order)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, self._path)

    def _lock(self):
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BlockingIOError(f"{self._path}: another sweep is writing this file; wait for it") from None

    def _check(self, recording):
        if recording.header is None:
            return
        asked = {"experiment": self._experiment.to_dict(), "facts": self._facts}
        for name, what in (("experiment", "another experiment"), ("facts", "the experiment with other software")):
            different = differences(asked[name], recording.header[name])
            if different:
                raise ValueError(
                    f"{self._path}: expected a file of this experiment, got {what}; choose another file, or "
                    "what it holds:\n  " + "\n  ".join(different)
                )

    def _header(self):
        header = {"format": FORMAT, "experiment": self._experiment.to_dict(), "facts": self._facts}
        return json.dumps(header).encode() + b"\n"

    def _append(self, line):
        self._file.write(line)
        self._file.flush()
        if time.monotonic() > self._synced + _SYNC_INTERVAL:
            os.fsync(self._file.fileno())
            self._synced = time.monotonic()


def read_times(path):
    """Times of a results file, {Unit: {"worker", "seconds": {part: [processor, wall clock]}}}; damage is skipped."""
    found = {}
    try:
        lines = times_path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return found
    for line in lines:
        try:
            entry = json.loads(line)
            found[Unit(*entry.pop("unit"))] = entry
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return found


def _record_line(unit, results):
    return json.dumps({"unit": list(vars(unit).values()), "results": results}).encode() + b"\n"


def _parsed(path, number, line):
    if not _is_record(line):
        raise _damaged(path, number, "a record in JSON, got something else")
    return json.loads(line)


def _is_record(line):
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _damaged(path, number, text):
    what = "the file cannot be used" if number == 1 else "delete that line and its unit is computed again"
    return ValueError(f"{path}: line {number}: expected {text}; {what}")
